"""The stage: Postgres and the simulated venue in processes of their own, and equal books on both.

Deterministic: the same accounts, orders and positions in every run.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from reconciler.settings import Settings, load_settings
from reconciler.simulation.postgres import EmbeddedPostgres
from reconciler.simulation.venue import DEFAULT_MARKETS
from reconciler.store.migrations import migrate

OLD = timedelta(hours=3)
"""Everything on the stage is older than any grace, and younger than any limit of age."""
AT_ONCE = 2_000
"""Orders told to the venue in one request."""
MORE_THAN_A_VENUE_GIVES = 1e6
"""Rate share: what is measured is the program, not the venue's limit."""
QTY = Decimal("1.5")
HELD = {"BTCUSDT": Decimal("0.5"), "ETHUSDT": Decimal(2)}
"""Positions of each account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the measured process is told, and what the runner asks afterwards."""

    base_url: str
    database_url: str
    config: Path
    session: aiohttp.ClientSession
    connection: "asyncpg.Connection[asyncpg.Record]"

    async def tell(self, name: str, **body: Any) -> Any:
        """Call the venue's control surface."""
        async with self.session.post(f"{self.base_url}/_sim/{name}", json=body) as response:
            told = await response.json()
            if "error" in told:
                raise RuntimeError(f"{name}: {told['error']}")
            return told["result"]

    async def requests(self) -> list[dict[str, Any]]:
        """How many requests reached the venue, by endpoint, account and status."""
        async with self.session.get(f"{self.base_url}/_sim/requests") as response:
            found: list[dict[str, Any]] = await response.json()
            return found

    async def furnish(self, accounts: Sequence[str], *, orders: int) -> None:
        """Give each account a profile, positions and so many open orders, on both sides."""
        at = datetime.now(UTC) - OLD
        await self._furnish_venue(accounts, orders, at)
        await self._furnish_book(accounts, orders, at)
        self.config.write_text(self._toml(accounts), encoding="utf-8")

    async def _furnish_venue(self, accounts: Sequence[str], orders: int, at: datetime) -> None:
        calls: list[tuple[str, dict[str, Any]]] = [
            ("add_account", {"label": account}) for account in accounts
        ]
        for number, account in enumerate(accounts):
            for symbol, qty in HELD.items():
                held = {"symbol": symbol, "side": "long", "qty": str(qty)}
                calls.append(("set_position", {"account": account, **held}))
            for order in range(orders):
                placed = {
                    "account": account,
                    "symbol": _symbol(order),
                    "side": _side(order),
                    "qty": str(QTY),
                    "price": "100.5",
                    "order_id": _order_id(number, order),
                    "client_order_id": f"bot-{order}",
                    "created_at": at.isoformat(),
                }
                calls.append(("place_order", placed))
        for start in range(0, len(calls), AT_ONCE):
            await self.tell("batch", calls=calls[start : start + AT_ONCE])

    async def _furnish_book(self, accounts: Sequence[str], orders: int, at: datetime) -> None:
        await self.connection.copy_records_to_table(
            "profiles",
            schema_name="bot",
            columns=("id", "account", "status", "updated_at"),
            records=[(f"p-{account}", account, "active", at) for account in accounts],
        )
        columns = "id profile_id symbol side qty status updated_at"
        await self.connection.copy_records_to_table(
            "positions",
            schema_name="bot",
            columns=columns.split(),
            records=[
                (f"{account}-{symbol}", f"p-{account}", symbol, "long", qty, "open", at)
                for account in accounts
                for symbol, qty in HELD.items()
            ],
        )
        columns += " type price client_order_id venue_order_id created_at"
        await self.connection.copy_records_to_table(
            "orders",
            schema_name="bot",
            columns=columns.split(),
            records=[
                _book_row(account, number, order, at)
                for number, account in enumerate(accounts)
                for order in range(orders)
            ],
        )
        await self.connection.execute("analyze")

    def _toml(self, accounts: Sequence[str]) -> str:
        lines = [f"[database]\nurl = {json.dumps(self.database_url)}"]
        lines += [
            f'[accounts.{account}]\nvenue = "binanceusdm"\napi_key = "{account}-key"\n'
            f'secret = "{account}-secret"\nbase_url = "{self.base_url}"\ntimeout = "60s"'
            for account in accounts
        ]
        return "\n".join(lines)


@contextlib.asynccontextmanager
async def stage(*, extra_markets: int) -> AsyncIterator[Stage]:
    """An empty stage, with our tables and the native book."""
    with tempfile.TemporaryDirectory(prefix="reconciler-bench") as folder:
        async with (
            EmbeddedPostgres(settings={"autovacuum": "off"}) as server,
            _venue(extra_markets) as base_url,
            aiohttp.ClientSession() as session,
        ):
            await migrate(server.url, with_native_book=True)
            connection = await asyncpg.connect(server.url)
            try:
                yield Stage(
                    base_url=base_url,
                    database_url=server.url,
                    config=Path(folder) / "reconciler.toml",
                    session=session,
                    connection=connection,
                )
            finally:
                await connection.close()


@contextlib.asynccontextmanager
async def _venue(extra_markets: int) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reconciler.simulation.venue"),
        *("--account", "nobody", "--extra-markets", str(extra_markets)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            said = json.loads(await process.stdout.readline())
        yield said["base_url"]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def settings_of(config: str) -> Settings:
    """The settings of a measured process: the file's, and no rate limit to wait for."""
    settings = load_settings(Path(config), environ={})
    unlimited = {"rate_share": MORE_THAN_A_VENUE_GIVES}
    accounts = {
        name: account.model_copy(update=unlimited) for name, account in settings.accounts.items()
    }
    return settings.model_copy(update={"accounts": accounts})


def _book_row(account: str, number: int, order: int, at: datetime) -> tuple[object, ...]:
    return (
        *(f"{account}-{order}", f"p-{account}", _symbol(order), _side(order), QTY, "open", at),
        *("limit", Decimal("100.5"), f"bot-{order}", str(_order_id(number, order)), at),
    )


def _symbol(order: int) -> str:
    return DEFAULT_MARKETS[order % len(DEFAULT_MARKETS)].symbol


def _side(order: int) -> str:
    return "buy" if order % 2 else "sell"


def _order_id(account: int, order: int) -> int:
    return 8_000_000_001 + account * 100_000_000 + order
