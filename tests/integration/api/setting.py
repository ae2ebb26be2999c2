"""The stage: the daemon's own application over a real database, on a free port."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from reconciler.http.app import build_app
from reconciler.http.gate import ANSWER_WITHIN
from reconciler.http.rate_limits import Limits, Rate
from reconciler.http.server import HttpServer
from reconciler.service.api import api_of
from reconciler.service.assembly import Assembly, assembled
from reconciler.settings import load_settings
from reconciler.telemetry.redaction import Redactor
from tests.integration.api.tokens import (
    OPERATOR_SUB,
    OPERATOR_TOKEN,
    SECRET,
    VIEWER_SUB,
    VIEWER_TOKEN,
    Jwks,
    hash_of,
    published,
)
from tests.scenarios.setting import Setting, ago

PLENTY = Rate(per_second=1e6, burst=1_000_000)
UNLIMITED = Limits(address=PLENTY, caller=PLENTY, refusals=PLENTY)
SLASHED = "2026/o 2%"
"""An order's id, as awkward as a bot may choose it."""
MUTATIONS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "incidents_ack": ("/api/incidents/1/ack", {"note": "on it"}),
    "incidents_resolve": ("/api/incidents/1/resolve", {"note": "closed by hand"}),
    "quarantine_add": (f"/api/quarantine/{quote(SLASHED, safe='')}/add", {"note": "odd"}),
    "quarantine_resolve": (
        "/api/quarantine/o1/resolve",
        {"status": "canceled", "note": "the venue says so"},
    ),
    "profiles_reenable": ("/api/profiles/p1/reenable", None),
    "accounts_pause": ("/api/accounts/main/pause", {"for": "90m"}),
    "accounts_resume": ("/api/accounts/main/resume", None),
    "orders_cancel": (
        f"/api/orders/{quote(SLASHED, safe='')}/cancel",
        {"note": "stuck", "execute": True},
    ),
    "positions_close": (
        "/api/positions/main/close",
        {"note": "ghost", "symbol": "SOL/USDT:USDT", "side": "short", "execute": True},
    ),
    "guards_accept": ("/api/guards/side/accept", {"note": "first run"}),
    "ignores_add": ("/api/ignores/main/add", {"what": "symbol", "value": "BTC/USDT:USDT"}),
    "ignores_remove": ("/api/ignores/main/remove", {"what": "symbol", "value": "BTC/USDT:USDT"}),
    "reconcile": ("/api/reconcile", {"account": "main"}),
}
"""Every operation that changes something, in an order in which each can be done after `seed`."""


@dataclass(slots=True, kw_only=True)
class Api:
    """One running API, and how to ask it."""

    setting: Setting
    parts: Assembly
    jwks: Jwks
    http: aiohttp.ClientSession
    url: str

    async def ask(
        self, method: str, path: str, *, token: str | None = OPERATOR_TOKEN, **more: Any
    ) -> tuple[int, Any]:
        """Status and body: JSON where it is JSON, else text."""
        status, body, _ = await self.ask_in_full(method, path, token=token, **more)
        return status, body

    async def ask_in_full(
        self, method: str, path: str, *, token: str | None = OPERATOR_TOKEN, **more: Any
    ) -> tuple[int, Any, aiohttp.ClientResponse]:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        headers |= more.pop("headers", {})
        url = URL(self.url + path, encoded=True)  # as it is: else it would be quoted again
        async with self.http.request(
            method, url, headers=headers, allow_redirects=False, **more
        ) as answer:
            body = await answer.text()
            is_json = answer.content_type == "application/json" and body
            return answer.status, json.loads(body) if is_json else body, answer

    async def dump(self) -> list[str]:
        """Every row of every table, with the transaction that wrote it."""
        tables = await self.setting.connection.fetch(
            "select schemaname || '.' || tablename as name from pg_tables "
            "where schemaname in ('bot', 'reconciler') order by 1"
        )
        return [
            f"{table['name']} {row['line']}"
            for table in tables
            for row in await self.setting.connection.fetch(
                f"select t.xmin::text || t::text as line from {table['name']} t order by 1"
            )
        ]


@asynccontextmanager
async def serving(
    setting: Setting,
    jwks: Jwks,
    *,
    limits: Limits = UNLIMITED,
    answer_within: timedelta = ANSWER_WITHIN,
    **sections: Any,
) -> AsyncIterator[Api]:
    """The API as the daemon assembles it; the passes do not run."""
    people: dict[str, Any] = {
        "auth": {"supabase_url": jwks.url, "jwt_secret": SECRET},
        "api": {
            "tokens": {
                "night-shift": {"hash": hash_of(OPERATOR_TOKEN), "role": "operator"},
                "dashboard": {"hash": hash_of(VIEWER_TOKEN)},
            },
            "jwt": {"viewers": [VIEWER_SUB], "operators": [OPERATOR_SUB]},
        },
    }
    people["policy"] = {
        "cancel_stuck_orders": "operator",
        "close_ghosts": "operator",
        "close_max_notional": "100000",
    }
    settings = load_settings(setting.configure(**(people | sections)), environ={})
    async with assembled(settings, Redactor(settings.secret_values())) as parts:
        api = api_of(parts, limits=limits, answer_within=answer_within)
        server = HttpServer(
            build_app(health=parts.health, metrics=parts.metrics, api=api), "127.0.0.1", 0
        )
        await server.start()
        deadline = aiohttp.ClientTimeout(total=50)
        async with (
            asyncio.TaskGroup() as tasks,
            aiohttp.ClientSession(timeout=deadline) as http,
        ):
            tasks.create_task(server.serve())
            yield Api(setting=setting, parts=parts, jwks=jwks, http=http, url=server.url)
            await server.stop()


@pytest.fixture
async def jwks() -> AsyncIterator[Jwks]:
    async with published() as one:
        yield one


@pytest.fixture
async def api(setting: Setting, jwks: Jwks) -> AsyncIterator[Api]:
    """The API over a database in which every operation has something to do."""
    setting.add_account("side")
    await seed(setting)
    async with serving(setting, jwks) as one:
        yield one


async def seed(setting: Setting) -> None:
    """Incidents 1 (ghost), 2 (quarantined order), 3 (mass change of `side`), 4 (over, with the
    containment of `p1` in parity), and what the book says of them.
    """
    for kind, account, subject, status in (
        ("phantom_position", "main", "SOL/USDT:USDT long", "open"),
        ("order_quarantined", "main", "o1", "open"),
        ("mass_change", "side", "orders", "open"),
        ("ghost_position", "main", "BTC/USDT:USDT long", "resolved"),
    ):
        await setting.insert(
            "reconciler.incidents",
            kind=kind,
            severity="SEV-1" if kind in {"mass_change", "ghost_position"} else "SEV-2",
            account=account,
            subject=subject,
            status=status,
            title=f"{kind} of {subject}",
            details=json.dumps({"profiles": ["p1"], "why": "30 of 31 rows"}),
        )
    await setting.connection.execute("update bot.profiles set status = 'inactive' where id = 'p1'")
    await setting.insert(
        "reconciler.containments",
        profile_id="p1",
        account="main",
        incident_id=4,
        reason="ghost",
        status_before="active",
        parity_streak=9,
        parity_seen_at=ago(timedelta(minutes=1)),
    )
    await setting.order("o1", "SOL/USDT:USDT", "buy", "3", status="unknown", venue_order_id="1")
    await setting.order(SLASHED, "SOL/USDT:USDT", "buy", "2", venue_order_id="2")
    await setting.insert(
        "reconciler.quarantine",
        order_id="o1",
        account="main",
        profile_id="p1",
        symbol="SOL/USDT:USDT",
        reason="never_seen",
        status_before="open",
        incident_id=2,
    )
    assert await setting.connection.fetchval("select filled from bot.orders limit 1") == Decimal(0)
