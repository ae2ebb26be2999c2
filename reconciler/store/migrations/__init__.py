"""Own schema to the newest version; the native book for people who start fresh."""

import asyncio
from functools import partial
from pathlib import Path

import asyncpg

from reconciler.domain.errors import DatabaseRefusedError, DatabaseUnavailableError
from reconciler.store.connecting import CONNECT_ERRORS, connect

HERE = Path(__file__).parent
_LOCK = 7_236_452_018  # the same key as in env.py


def newest_version() -> str:
    """The newest revision that this program carries."""
    return max(path.name[:4] for path in (HERE / "versions").glob("[0-9]*.sql"))


async def migrate(url: str, *, with_native_book: bool = False) -> bool:
    """Bring schema `reconciler` to the newest version; True if anything was changed.

    Safe to run from several processes at once, and cheap when there is nothing to do.
    Raises DatabaseUnavailableError: it does not answer, or does not let us.
    """
    try:
        connection = await connect(url)
        try:
            return await _bring_up(connection, url, with_native_book=with_native_book)
        finally:
            connection.terminate()  # a polite close could wait for a server that is gone
    except (*CONNECT_ERRORS, asyncpg.PostgresError) as error:
        msg = f"the database did not answer: {str(error).strip() or type(error).__name__}"
        raise DatabaseUnavailableError(msg) from error


async def _bring_up(
    connection: "asyncpg.Connection[asyncpg.Record]", url: str, *, with_native_book: bool
) -> bool:
    changed = False
    if await _version(connection) != newest_version():
        await asyncio.to_thread(_upgrade, url)
        changed = True
    if with_native_book:
        await _create_native_book(connection)
    return changed


async def _version(connection: "asyncpg.Connection[asyncpg.Record]") -> str | None:
    exists = await connection.fetchval(
        "select to_regclass('reconciler.alembic_version') is not null"
    )
    if not exists:
        return None
    version: str | None = await connection.fetchval(
        "select version_num from reconciler.alembic_version"
    )
    return version


async def _create_native_book(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute((HERE / "native_book.sql").read_text(encoding="utf-8"))


def _upgrade(url: str) -> None:
    """alembic, in a thread of its own loop: it is imported only when there is work for it."""
    from alembic import command  # noqa: PLC0415 - costs 0.4 s, needed on a version change only
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415 - as above
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connect"] = partial(connect, url)
    try:
        command.upgrade(config, "head")
    except (SQLAlchemyError, CommandError) as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        msg = f"schema reconciler could not be brought to version {newest_version()}: {said}"
        raise DatabaseRefusedError(msg) from error
