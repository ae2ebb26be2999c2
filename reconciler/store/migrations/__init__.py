"""Own schema to the newest version; the native book for people who start fresh."""

import asyncio
from pathlib import Path

import asyncpg

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.store.connecting import CONNECT_ERRORS, connect

HERE = Path(__file__).parent
_LOCK = 7_236_452_018  # the same key as in env.py


def newest_version() -> str:
    """The newest revision that this program carries."""
    return max(path.name[:4] for path in (HERE / "versions").glob("[0-9]*.sql"))


async def migrate(url: str, *, with_native_book: bool = False) -> bool:
    """Bring schema `reconciler` to the newest version; True if anything was changed.

    Safe to run from several processes at once, and cheap when there is nothing to do.
    Raises DatabaseUnavailableError.
    """
    try:
        connection = await connect(url)
    except CONNECT_ERRORS as error:
        raise DatabaseUnavailableError(str(error)) from error
    try:
        changed = False
        if await _version(connection) != newest_version():
            await asyncio.to_thread(_upgrade, url)
            changed = True
        if with_native_book:
            await _create_native_book(connection)
        return changed
    finally:
        await connection.close(timeout=5)


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

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["url"] = _sqlalchemy_url(url)
    config.attributes["connect_args"] = {"statement_cache_size": 0, "timeout": 10}
    command.upgrade(config, "head")


def _sqlalchemy_url(url: str) -> str:
    """SQLAlchemy names the driver in the scheme."""
    _, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}"
