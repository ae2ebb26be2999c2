"""The daemon's own database: reach, clock, schema, rights, and what stands before it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from reconciler.book.inspection.asking import asking
from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.service.assembly import Assembly
from reconciler.service.checks.lines import Line
from reconciler.store.connecting import TRANSACTION_POOLER_PORT, borrowed, is_transaction_pooler
from reconciler.store.migrations import newest_version
from reconciler.store.own_rights import OwnRights, own_rights
from reconciler.store.pooling import Pooling, pooling_at

TOPIC = "database"


async def database_lines(assembly: Assembly) -> list[Line]:
    """Every line about it."""
    lines = [line async for line in _lines(assembly)]
    if lines[0].level == "ok":
        lines += await pooler_lines(assembly.url, what="pooler", topic=TOPIC)
    return lines


async def _lines(assembly: Assembly) -> AsyncIterator[Line]:
    try:
        before = datetime.now(UTC)
        async with borrowed(assembly.pool) as connection:
            now: datetime = await connection.fetchval("select clock_timestamp()")
            middle = before + (datetime.now(UTC) - before) / 2
            server = await connection.fetchval("show server_version")
        async with asking(assembly.pool) as connection:
            rights = await own_rights(connection)
    except DatabaseUnavailableError as error:
        yield Line(
            level="fail",
            what="database",
            says=str(error),
            mend="check database.url (or DATABASE_URL) and that the server is up",
            topic=TOPIC,
        )
        return
    says = f"PostgreSQL {server} answers, our role is {rights.role}"
    yield Line(level="ok", what="database", says=says, topic=TOPIC)
    yield skew_line("clock of the database", now - middle, assembly, topic=TOPIC)
    if rights.why_read_only:
        yield Line(
            level="fail",
            what="own schema, rights",
            says=rights.why_read_only,
            mend="point database.url at the primary, with a role that may write",
            topic=TOPIC,
        )
    for grant in rights.grants:
        says = f"our role {rights.role} lacks a right in our own schema"
        yield Line(level="fail", what="own schema, rights", says=says, mend=grant, topic=TOPIC)
    if not rights.grants:
        says = f"our role {rights.role} may read and write it"
        if not rights.exists:
            says = f"our role {rights.role} may create it"
        yield Line(level="ok", what="own schema, rights", says=says, topic=TOPIC)
    yield await _version(assembly, rights)


async def _version(assembly: Assembly, rights: OwnRights) -> Line:
    version, newest = None, newest_version()
    try:
        async with asking(assembly.pool) as connection:
            if rights.exists and await connection.fetchval(
                "select exists (select 1 from pg_class c join pg_namespace n on n.oid = "
                "c.relnamespace where n.nspname = 'reconciler' and c.relname = 'alembic_version')"
            ):
                version = await connection.fetchval(
                    "select version_num from reconciler.alembic_version"
                )
    except DatabaseUnavailableError as error:
        return Line(level="fail", what="own schema", says=str(error), topic=TOPIC)
    if version == newest:
        return Line(level="ok", what="own schema", says=f"version {version}", topic=TOPIC)
    if version is not None and version > newest:
        return Line(
            level="fail",
            what="own schema",
            says=f"version {version} is newer than this program's {newest}",
            mend="run the newer program, or the one that made the schema",
            topic=TOPIC,
        )
    mend = "reconciler migrate (run and once do it by themselves)"
    if not rights.may_migrate:
        mend = "reconciler migrate, with the role that owns schema reconciler: ours does not"
    return Line(
        level="warn" if rights.may_migrate else "fail",
        what="own schema",
        says=f"version {version or 'none'}, this program brings {newest}",
        mend=mend,
        topic=TOPIC,
    )


async def pooler_lines(url: str, *, what: str, topic: str) -> list[Line]:
    """Whether prepared statements and LISTEN work at this address."""
    if is_transaction_pooler(url):
        says = (
            "port 6543 is a transaction pooler: statements are prepared anew each time, NOTIFY "
            "reconciler_request is not heard there, rows of reconciler.requests are polled "
            "every 5 s"
        )
        mend = "use the session pooler or the direct address (port 5432), or insert rows"
        return [Line(level="warn", what=what, says=says, mend=mend, topic=topic)]
    found = await pooling_at(url)
    if found is Pooling.TRANSACTION:
        port = urlsplit(url).port or 5432
        says = (
            f"port {port} is a transaction pooler: its server processes change under a "
            "connection, so prepared statements fail and NOTIFY is not heard"
        )
        mend = (
            "use the direct address or a session pooler; a transaction pooler is served on port "
            f"{TRANSACTION_POOLER_PORT} only"
        )
        return [Line(level="fail", what=what, says=says, mend=mend, topic=topic)]
    says = "none between us and the server"
    if found is Pooling.SESSION:
        says = "a pooler or proxy that keeps one server process for each connection: fits"
    return [Line(level="ok", what=what, says=says, topic=topic)]


def skew_line(what: str, skew: timedelta, assembly: Assembly, *, topic: str) -> Line:
    """A clock against this host's."""
    most = assembly.settings.guards.max_clock_skew
    says = f"{skew.total_seconds():+.1f} s from this host"
    if abs(skew) <= most:
        return Line(level="ok", what=what, says=says, topic=topic)
    mend = f"synchronise clocks: beyond {most.total_seconds():.0f} s nothing is judged by its age"
    return Line(level="warn", what=what, says=says, mend=mend, topic=topic)
