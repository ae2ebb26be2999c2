"""The stage of a scenario: a simulated venue, a native book, a configuration, and the program.

`once` runs the program's own code in this process, `command` the installed command as an operator
would. Nothing of ours is replaced by a double.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from typer.testing import CliRunner

from reconciler.cli.app import app
from reconciler.domain.outcome import Finding, Outcome
from reconciler.service.assembly import assembled
from reconciler.service.once import run_once
from reconciler.settings import load_settings
from reconciler.simulation.venue import Account, FaultKind, Ledger, SimulatedVenue
from reconciler.telemetry.redaction import Redactor

PROGRAM = Path(sys.executable).with_name("reconciler")
T = TypeVar("T")
COMMAND_WITHIN = 50.0
HOUR = timedelta(hours=1)
BOOK_TABLES = ("bot.profiles", "bot.orders", "bot.positions")
PROMPT: dict[str, dict[str, Any]] = {
    "orders": {"confirmations": 2, "confirm_after": "50ms"},
    "positions": {"confirmations": 2, "confirm_after": "50ms"},
}
"""Confirmed within one run of `once`, without waiting for the defaults' half minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON that it printed."""
        told: dict[str, Any] = json.loads(self.out)
        return told

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The list in the JSON that it printed."""
        told: list[dict[str, Any]] = json.loads(self.out)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """What one run of `once` said about one account."""

    outcome: Outcome

    @property
    def code(self) -> int:
        """The exit code that the command would give."""
        return self.outcome.state.exit_code

    def finding(self, kind: str) -> Finding:
        """The only finding of that kind."""
        [found] = [f for f in self.outcome.findings if f.kind == kind]
        return found


@dataclass(slots=True, kw_only=True)
class Setting:
    """One database, one venue, accounts on it, and what `reconciler.toml` says."""

    url: str
    folder: Path
    venue: SimulatedVenue
    connection: "asyncpg.Connection[asyncpg.Record]"
    sections: dict[str, Any] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        """What the venue knows of account `main`."""
        return self.venue.ledger("main")

    def add_account(self, name: str, *, venue: SimulatedVenue | None = None) -> Account:
        """One more account under watch, on this venue unless another is given."""
        place = venue or self.venue
        account = place.add_account(name)
        self.sections["accounts"][name] = {
            "venue": "binanceusdm",
            "api_key": account.api_key,
            "secret": account.secret,
            "base_url": place.base_url,
            "timeout": "2s",
            "rate_share": 1.0,
        }
        return account

    def configure(self, **sections: Any) -> Path:
        """Write `reconciler.toml`, with these sections over what was configured before."""
        for name, section in sections.items():
            known = self.sections.get(name)
            if isinstance(section, dict) and isinstance(known, dict):
                self.sections[name] = {**known, **section}
            else:
                self.sections[name] = section
        path = self.folder / "reconciler.toml"
        path.write_text(_toml(self.sections), encoding="utf-8")
        return path

    async def once(self, account: str = "main", **sections: Any) -> Once:
        """`reconciler once --account …`, in this process."""
        outcomes = await self.once_all(account, **sections)
        [outcome] = outcomes
        return Once(outcome=outcome)

    async def once_all(self, account: str | None = None, **sections: Any) -> tuple[Outcome, ...]:
        """`reconciler once`, in this process: the outcome of each account."""
        settings = load_settings(self.configure(**sections))
        redactor = Redactor(settings.secret_values())
        async with assembled(settings, redactor) as assembly:
            return await run_once(assembly, account=account)

    async def command(self, *arguments: str, environment: dict[str, str] | None = None) -> Ran:
        """Run the installed command to its end."""
        process = await asyncio.create_subprocess_exec(
            str(PROGRAM),
            *arguments,
            "--config",
            str(self.configure()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=clean_environment() | (environment or {}),
        )
        try:
            async with asyncio.timeout(COMMAND_WITHIN):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return Ran(code=process.returncode, out=out.decode(), err=err.decode())

    async def typed(self, *arguments: str) -> Ran:
        """The same command in this process: without the second that a new one takes to begin."""
        return await self.typed_alone(*arguments, "--config", str(self.configure()))

    async def typed_alone(self, *arguments: str) -> Ran:
        """A command that needs no configuration, in this process."""
        ended = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ran(code=ended.exit_code, out=ended.stdout, err=ended.stderr)

    @contextlib.asynccontextmanager
    async def while_asking(
        self, endpoint: str, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> AsyncIterator[asyncio.Task[T]]:
        """Start `work`, and enter once it waits for an answer of `endpoint`: given at the end."""
        self.venue.requests.clear()
        hanging = self.venue.faults.set(FaultKind.HANG, endpoint)
        running = asyncio.create_task(work())
        try:
            await eventually(lambda: self.venue.requests.count(endpoint), within=15)
            yield running
        finally:
            self.venue.faults.clear(hanging)
            await asyncio.wait([running], timeout=20)
            running.cancel()

    # The book.

    async def profile(self, name: str, account: str = "main", *, status: str = "active") -> None:
        """A row of `bot.profiles`."""
        await self.insert("bot.profiles", id=name, account=account, status=status)

    async def position(self, name: str, symbol: str, side: str, qty: str, **more: Any) -> None:
        """An open row of `bot.positions`, untouched for an hour."""
        row = {"profile_id": "p1", "status": "open", "updated_at": ago(HOUR)} | more
        await self.insert(
            "bot.positions", id=name, symbol=symbol, side=side, qty=Decimal(qty), **row
        )

    async def order(self, name: str, symbol: str, side: str, qty: str, **more: Any) -> None:
        """A row of `bot.orders`, `age` (25 h) old and untouched since."""
        created_at = ago(more.pop("age", timedelta(hours=25)))
        row = {
            "profile_id": "p1",
            "status": "open",
            "created_at": created_at,
            "updated_at": created_at,
        } | more
        await self.insert("bot.orders", id=name, symbol=symbol, side=side, qty=Decimal(qty), **row)

    async def insert(self, table: str, **row: Any) -> None:
        """One row."""
        marks = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await self.connection.execute(
            f"insert into {table} ({', '.join(row)}) values ({marks})",
            *row.values(),
        )

    async def book(self) -> list[str]:
        """Every row of the bot's tables to the byte, with the transaction that wrote it."""
        dump = [
            f"{table} {row['xmin']} {row['line']}"
            for table in BOOK_TABLES
            for row in await self.connection.fetch(
                f"select xmin::text as xmin, t::text as line from {table} t"
            )
        ]
        return sorted(dump)

    async def status(self, profile: str = "p1") -> str:
        """The status of a profile."""
        told: str = await self.connection.fetchval(
            "select status from bot.profiles where id = $1", profile
        )
        return told

    # Our own tables.

    async def rows(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        """Rows as dicts, JSON columns read."""
        found = await self.connection.fetch(statement, *arguments)
        return [
            {
                key: json.loads(value) if key in JSON_COLUMNS and value is not None else value
                for key, value in row.items()
            }
            for row in found
        ]

    async def row(self, statement: str, *arguments: Any) -> dict[str, Any]:
        """The only row."""
        [found] = await self.rows(statement, *arguments)
        return found

    async def incidents(self) -> list[tuple[str, str, str]]:
        """Kind, severity and status of each incident, in the order in which they were opened."""
        rows = await self.rows(
            "select kind, severity, status from reconciler.incidents order by id"
        )
        return [(r["kind"], r["severity"], r["status"]) for r in rows]


JSON_COLUMNS = frozenset(
    {"details", "bundle", "before", "after", "payload", "findings", "own_writes"}
)


@pytest.fixture
async def setting(
    database_url: str,
    connection: "asyncpg.Connection[asyncpg.Record]",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Setting]:
    """A venue with the account `main`, a book with the active profile `p1` of it."""
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    async with SimulatedVenue() as venue:
        made = Setting(url=database_url, folder=tmp_path, venue=venue, connection=connection)
        made.sections = {"database": {"url": database_url}, "accounts": {}, **PROMPT}
        made.add_account("main")
        await made.profile("p1")
        yield made
        venue.faults.clear()


def ago(span: timedelta) -> datetime:
    """The time so long ago."""
    return datetime.now(UTC) - span


def clean_environment() -> dict[str, str]:
    """The environment without anything that configures the program."""
    ours = ("RECONCILER_", "SUPABASE_", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


async def eventually(
    condition: Callable[[], Any], *, within: float, every: float = 0.05, what: str = ""
) -> Any:
    """Poll an async or plain condition until it is truthy; its value. Fails after `within` s."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if asyncio.get_running_loop().time() > deadline:
            pytest.fail(f"not within {within} s: {what or condition}")
        await asyncio.sleep(every)


def _toml(sections: dict[str, Any]) -> str:
    """TOML of nested dicts of plain values: a JSON scalar or list is a TOML one."""
    lines: list[str] = []

    def write(prefix: str, table: dict[str, Any]) -> None:
        plain = {k: v for k, v in table.items() if not isinstance(v, dict)}
        if prefix:
            lines.append(f"[{prefix}]")
        lines.extend(f"{key} = {json.dumps(value)}" for key, value in plain.items())
        for key, value in table.items():
            if isinstance(value, dict):
                write(f"{prefix}.{key}" if prefix else key, value)

    write("", sections)
    return "\n".join(lines) + "\n"
