"""One book: do the statements fit, may our role run them, are they fast, are their times right."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from reconciler.book.inspection.asking import asking
from reconciler.book.inspection.dependents import dependents_of
from reconciler.book.inspection.permissions import Missing, missing_permissions
from reconciler.book.inspection.time_zones import (
    FutureRows,
    TimeZones,
    future_rows_of,
    is_same_zone,
    time_zones_of,
)
from reconciler.book.plans import plan_of
from reconciler.book.postgres import PostgresBook
from reconciler.book.preset import Preset
from reconciler.book.rejections import BookRejections
from reconciler.book.statements import Shape
from reconciler.deactivation.freqtrade_pairlock import FreqtradePairlock
from reconciler.domain.errors import BookUnreadableError, DatabaseUnavailableError
from reconciler.domain.identity import BookName
from reconciler.service.assembly import Assembly
from reconciler.service.books import rejections_of, url_of
from reconciler.service.checks.database import pooler_lines, skew_line
from reconciler.service.checks.lines import Line, answered, listed
from reconciler.store.connecting import Connection, borrowed

T = TypeVar("T")
QUESTION_WITHIN = timedelta(seconds=45)
HOUR = timedelta(hours=1)


def topic_of(name: BookName) -> str:
    """The heading of a book's lines."""
    return f"book {name}"


async def asked(book: PostgresBook, question: Callable[[Connection, Preset], Awaitable[T]]) -> T:
    """One question, in a read-only transaction of its own. Raises DatabaseUnavailableError."""
    async with asking(book.pool) as connection:
        return await question(connection, book.preset)


async def book_lines(assembly: Assembly, name: BookName) -> list[Line]:
    """Every line about a book but those that need its rows."""
    book, topic = assembly.books[name], topic_of(name)
    try:
        reached = await _reached(assembly, book)
    except DatabaseUnavailableError as error:
        mend = f"check the url of book {name} and that its server is up: nothing else of the book"
        return [
            Line(
                level="fail", what=topic, says=str(error), mend=f"{mend} was looked at", topic=topic
            )
        ]
    lines = [*reached, *await _within("rights", name, _rights(assembly, book))]
    lacks = any(line.level != "ok" for line in lines if line.what.endswith(", rights"))
    statements = await _within("statements", name, _statements(book, lacks_rights=lacks))
    lines = [*statements, *lines]
    for what, work in (
        ("plans", _plans(book)),
        ("time zones", _time_zones(book)),
        ("future", _future(assembly, book)),
        ("views", _views(book)),
    ):
        lines += await _within(what, name, work)
    return lines


async def _within(what: str, name: BookName, work: Awaitable[list[Line]]) -> list[Line]:
    topic = topic_of(name)
    return await answered(
        work, what=f"{topic}, {what}", topic=topic, within=QUESTION_WITHIN, level="warn"
    )


async def _reached(assembly: Assembly, book: PostgresBook) -> list[Line]:
    """A book in a database of its own has a clock and an address of its own."""
    topic = topic_of(book.name)
    before = datetime.now(UTC)
    async with borrowed(book.pool) as connection:
        now: datetime = await connection.fetchval("select clock_timestamp()")
    middle = before + (datetime.now(UTC) - before) / 2
    url = url_of(assembly.settings.all_books[book.name])
    if not book.is_elsewhere or url is None:
        return []
    return [
        skew_line(f"{topic}, clock", now - middle, assembly, topic=topic),
        *await pooler_lines(url, what=f"{topic}, pooler", topic=topic),
    ]


async def _statements(book: PostgresBook, *, lacks_rights: bool) -> list[Line]:
    topic = topic_of(book.name)
    try:
        await book.check()
    except (BookUnreadableError, DatabaseUnavailableError) as error:
        mend = "run what the lines on rights say, then check again" if lacks_rights else ""
        mend = mend or book.preset.mend
        return [Line(level="fail", what=topic, says=str(error), mend=mend, topic=topic)]
    says = f"{book.preset.title}: every statement fits"
    return [Line(level="ok", what=topic, says=says, topic=topic)]


async def _rights(assembly: Assembly, book: PostgresBook) -> list[Line]:
    topic = topic_of(book.name)
    what = f"{topic}, rights"
    locks = book.driver.statements() if isinstance(book.driver, FreqtradePairlock) else {}
    also = [
        (Shape(name=name, parameters=takes, columns={}, optional={}), sql)
        for name, (takes, sql) in locks.items()
    ]

    async def question(connection: Connection, preset: Preset) -> list[Missing]:
        return await missing_permissions(connection, preset, also)

    missing = await asked(book, question)
    enforces = assembly.settings.mode == "enforce"
    lines = [
        Line(
            level="fail" if enforces or not one.writes else "warn",
            what=what,
            says=f"{', '.join(one.statements)}: {one.says}",
            mend=one.mend,
            topic=topic,
        )
        for one in missing
    ]
    says = "our role may run every statement, and sees every row"
    return lines or [Line(level="ok", what=what, says=says, topic=topic)]


async def _plans(book: PostgresBook) -> list[Line]:
    topic = topic_of(book.name)
    what = f"{topic}, plans"
    lines = []
    told: set[str] = set()
    for one in await asked(book, plan_of):
        says = f"{one.statement} reads all {one.rows:,} rows of {one.table} in each look"
        says += f": {one.condition}" if one.condition else ""
        new = [index for index in one.indexes if index not in told]
        mend = "; ".join(new) or "the indexes above serve it too"
        if not one.indexes:
            says += "; its indexes are there, and the planner leaves them aside"
            mend = f"VACUUM (ANALYZE) {one.table}; it stays so where most rows are asked for"
        told.update(new)
        lines.append(Line(level="warn", what=what, says=says, mend=mend, topic=topic))
    says = "no statement reads a large table from end to end"
    return lines or [Line(level="ok", what=what, says=says, topic=topic)]


async def _time_zones(book: PostgresBook) -> list[Line]:
    topic = topic_of(book.name)
    zones = await asked(book, time_zones_of)
    what, read = f"{topic}, time zones", book.preset.timezone
    here = f"our sessions are in {zones.session} (from the {zones.source})"
    if not zones.naive:
        says = f"every time that is read has its zone; {here}"
        return [Line(level="ok", what=what, says=says, topic=topic)]
    columns = f"times without a zone ({listed(zones.naive)})"
    reads = f"are read as {read}" if read else "are made times by the statements themselves"
    others = _differing(zones, read or zones.session)
    if not others:
        return [Line(level="ok", what=what, says=f"{columns} {reads}; {here}", topic=topic)]
    mend = (
        "set book.timezone to the zone of the role that the bot connects as: "
        "select rolconfig from pg_roles where rolname = …"
    )
    says = f"{columns} {reads}, but sessions of {listed(others)}"
    return [Line(level="warn", what=what, says=says, mend=mend, topic=topic)]


def _differing(zones: TimeZones, read: str) -> list[str]:
    """Whose sessions write in another zone than the one that is read; none where some role of
    another program has the very zone.
    """
    now = datetime.now(UTC)
    ours = f"role {zones.role}"
    others = {
        w: z for w, z in zones.elsewhere.items() if not (w == ours or w.startswith(f"{ours} "))
    }
    if any(w.startswith("role ") and is_same_zone(z, read, now=now) for w, z in others.items()):
        return []
    everybody = {"any other role": zones.session} | others
    return [
        f"{who} are in {zone}"
        for who, zone in everybody.items()
        if not is_same_zone(zone, read, now=now)
    ]


async def _future(assembly: Assembly, book: PostgresBook) -> list[Line]:
    topic, most = topic_of(book.name), assembly.settings.guards.max_clock_skew

    async def question(connection: Connection, preset: Preset) -> list[FutureRows]:
        return await future_rows_of(connection, preset, most=most)

    lines = []
    for one in await asked(book, question):
        hours = round(one.latest / HOUR * 4) / 4
        says = (
            f"{one.statement}: {one.rows} rows are of a time up to {hours:g} h ahead of now: a "
            "time zone is read wrong, and every age with it"
        )
        mend = (
            f"is it a zone {hours:+g} h from {book.preset.timezone or 'UTC'}? Set book.timezone to "
            "the zone that the bot writes in; where the column has a zone, mend the bot"
        )
        lines.append(
            Line(level="fail", what=f"{topic}, time zones", says=says, mend=mend, topic=topic)
        )
    return lines


async def _views(book: PostgresBook) -> list[Line]:
    topic = topic_of(book.name)
    what = f"{topic}, views"
    lines = []
    for one in await asked(book, dependents_of):
        kind = "materialized view" if one.is_materialized else "view"
        used = " (our own statements read it)" if one.is_read_by_us else ""
        lines.append(
            Line(
                level="warn",
                what=what,
                says=f"{kind} {one.view} of {one.owner}{used} depends on {listed(one.tables)}: a "
                "migration of the bot that drops the table fails, one that renames it leaves the "
                "view on the old copy",
                mend=f"DROP {kind.upper()} {one.view}, or have its owner drop it before the bot's "
                "upgrades; a plpgsql function in its place survives them",
                topic=topic,
            )
        )
    says = "none on the bot's tables"
    return lines or [Line(level="ok", what=what, says=says, topic=topic)]


async def rejection_lines(assembly: Assembly) -> list[Line]:
    """Whether the books' own records of refused requests can be read."""
    lines = []
    for rows in rejections_of(assembly.books):
        lines += await answered(
            _rejections(rows),
            what=f"{topic_of(rows.book)}, auth.rejections",
            topic=topic_of(rows.book),
            within=QUESTION_WITHIN,
        )
    return lines


async def _rejections(rows: BookRejections) -> list[Line]:
    topic = topic_of(rows.book)
    what = f"{topic}, auth.rejections"
    try:
        await rows.check()
    except (BookUnreadableError, DatabaseUnavailableError) as error:
        mend = "mend [book.auth] rejections (docs/connect-your-bot.md), or leave it out"
        return [Line(level="fail", what=what, says=str(error), mend=mend, topic=topic)]
    return [Line(level="ok", what=what, says="the statement fits", topic=topic)]
