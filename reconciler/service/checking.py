"""The doctor's questions: each gives one line, none changes anything."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from reconciler.book.statements import WRITES
from reconciler.domain.errors import (
    BookUnreadableError,
    DatabaseUnavailableError,
    VenueMisconfiguredError,
    VenueUnavailableError,
)
from reconciler.domain.identity import AccountName
from reconciler.domain.snapshot import Completeness, Snapshot
from reconciler.rules.auth_failures import MOST_SKEW, AuthContext, judge_probe
from reconciler.service.assembly import Assembly, accounts_with_one_key
from reconciler.service.auth import is_probed, misfits_of, prober_of
from reconciler.service.pacing import paces
from reconciler.store.connecting import borrowed, is_transaction_pooler
from reconciler.store.migrations import newest_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One answer of the doctor."""

    level: Literal["ok", "warn", "fail"]
    what: str
    says: str
    mend: str = ""


async def run_checks(assembly: Assembly) -> list[Line]:
    """Every question, in the order in which one would ask them."""
    lines = [
        Line(
            level="ok",
            what="configuration",
            says=f"mode {assembly.settings.mode}, {len(assembly.venues)} accounts",
        )
    ]
    lines += [line async for line in _database(assembly)]
    if not any(line.level == "fail" for line in lines):
        lines += [line async for line in _books(assembly)]
    lines += _same_keys(assembly)
    for account in assembly.venues:
        lines += [line async for line in _venue(assembly, account)]
    return [*lines, *_paces(assembly), *await _sign_in(assembly)]


async def _sign_in(assembly: Assembly) -> list[Line]:
    """Whether Supabase's address and keys fit, and what one probe says of each step."""
    settings = assembly.settings
    lines = [
        Line(level=m.level, what=m.what, says=m.says, mend=m.mend) for m in misfits_of(settings)
    ]
    if not is_probed(settings.auth):
        return lines
    context = AuthContext(legacy_secret=settings.auth.jwt_secret is not None)
    judged = judge_probe(await prober_of(settings).probe(), context=context)
    mend = f"{judged.cause}: docs/runbooks/auth-failure.md" if judged.cause else ""
    for step, says in judged.states:
        if step in judged.failed:
            lines.append(Line(level="fail", what=f"sign-in {step}", says=says, mend=mend))
        else:
            level: Literal["ok", "warn"] = "warn" if step in judged.undecided else "ok"
            lines.append(Line(level=level, what=f"sign-in {step}", says=says))
    if judged.clock_skew is not None and abs(judged.clock_skew) > MOST_SKEW:
        lines.append(
            Line(
                level="warn",
                what="clock of Supabase",
                says=f"{judged.clock_skew.total_seconds():+.0f} s from this host",
                mend="synchronise clocks: GoTrue allows no difference",
            )
        )
    return lines


def _paces(assembly: Assembly) -> list[Line]:
    """Whether the request budgets hold the schedule; of venues that could be connected."""
    return [
        Line(
            level="warn" if pace.is_stretched else "ok",
            what=f"schedule at {pace.venue}",
            says=pace.says,
            mend=pace.mend,
        )
        for pace in paces(assembly)
        if pace.cost is not None
    ]


def _same_keys(assembly: Assembly) -> list[Line]:
    """Two names for one account would each call the other's positions ghosts."""
    return [
        Line(
            level="warn",
            what=" and ".join(names),
            says="the same venue and key: each would see the other's positions as ghosts",
            mend="one [accounts.…] table per key, or disjoint `symbols` in each",
        )
        for names in accounts_with_one_key(assembly.settings)
    ]


async def _database(assembly: Assembly) -> AsyncIterator[Line]:
    try:
        before = datetime.now(UTC)
        async with borrowed(assembly.pool) as connection:
            now: datetime = await connection.fetchval("select clock_timestamp()")
            middle = before + (datetime.now(UTC) - before) / 2
            server = await connection.fetchval("show server_version")
            version = None
            if await connection.fetchval(
                "select to_regclass('reconciler.alembic_version') is not null"
            ):
                version = await connection.fetchval(
                    "select version_num from reconciler.alembic_version"
                )
    except DatabaseUnavailableError as error:
        yield Line(
            level="fail",
            what="database",
            says=str(error),
            mend="check database.url (or DATABASE_URL) and that the server is up",
        )
        return
    yield Line(level="ok", what="database", says=f"PostgreSQL {server} answers")
    yield _skew("clock of the database", now - middle, assembly)
    if version == newest_version():
        yield Line(level="ok", what="own schema", says=f"version {version}")
    elif version is not None and version > newest_version():
        yield Line(
            level="fail",
            what="own schema",
            says=f"version {version} is newer than this program's {newest_version()}",
            mend="run the newer program, or the one that made the schema",
        )
    else:
        yield Line(
            level="warn",
            what="own schema",
            says=f"version {version or 'none'}, this program brings {newest_version()}",
            mend="reconciler migrate (run and once do it by themselves)",
        )
    if is_transaction_pooler(assembly.url):
        yield Line(
            level="warn",
            what="pooler",
            says="port 6543 is a transaction pooler: NOTIFY reconciler_request is not heard there, "
            "rows of reconciler.requests are polled every 5 s",
            mend="use the session pooler or the direct address (port 5432), or insert rows",
        )


async def _books(assembly: Assembly) -> AsyncIterator[Line]:
    for name, book in assembly.books.items():
        what = f"book {name}"
        try:
            await book.check()
        except BookUnreadableError as error:
            yield Line(level="fail", what=what, says=str(error), mend=book.preset.mend)
            continue
        yield Line(level="ok", what=what, says=f"{book.preset.title}: every statement fits")
        for attribute, says in (await book.why_not_permitted()).items():
            needed = attribute not in WRITES or assembly.settings.mode == "enforce"
            yield Line(
                level="fail" if needed else "warn",
                what=what,
                says=says,
                mend="grant it to the role of database.url (docs/connect-your-bot.md)",
            )


async def _venue(assembly: Assembly, account: AccountName) -> AsyncIterator[Line]:
    venue, what = assembly.venues[account], f"account {account}"
    try:
        await venue.prepare()
        snapshot = await venue.snapshot(now=datetime.now(UTC))
    except VenueMisconfiguredError as error:
        yield Line(level="fail", what=what, says=str(error))
        return
    except VenueUnavailableError as error:
        yield Line(
            level="fail",
            what=what,
            says=str(error),
            mend="check the network and the venue's status",
        )
        return
    for line in _scopes(what, snapshot):
        yield line
    if snapshot.venue_clock_skew is not None:
        yield _skew(f"clock of the venue of {account}", snapshot.venue_clock_skew, assembly)
    for gap in snapshot.not_covered:
        yield Line(level="warn", what=what, says=f"not covered: {gap}")


def _scopes(what: str, snapshot: Snapshot) -> list[Line]:
    lines = []
    for name, scope in snapshot.scopes.items():
        if scope.completeness is Completeness.COMPLETE:
            lines.append(Line(level="ok", what=what, says=f"{name}: complete, {scope.rows} rows"))
        else:
            why = scope.failure.detail if scope.failure is not None else "unknown"
            lines.append(
                Line(
                    level="fail",
                    what=what,
                    says=f"{name}: {scope.completeness} ({why})",
                    mend="check the key's rights and the venue's status",
                )
            )
    return lines


def _skew(what: str, skew: timedelta, assembly: Assembly) -> Line:
    most = assembly.settings.guards.max_clock_skew
    says = f"{skew.total_seconds():+.1f} s from this host"
    if abs(skew) <= most:
        return Line(level="ok", what=what, says=says)
    mend = f"synchronise clocks: beyond {most.total_seconds():.0f} s nothing is judged by its age"
    return Line(level="warn", what=what, says=says, mend=mend)
