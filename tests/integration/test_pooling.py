"""A transaction pooler is found by what it does, on whatever port it is.

The pooler here is as small as one can be: it speaks the protocol's frames, and lends a server
session to a client for as long as a transaction lasts (or, to compare, as the client stays).
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import asyncpg
import pytest

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.service.checks.database import pooler_lines
from reconciler.store.pooling import Pooling, pooling_at

SSL_REQUEST = 80877103
OUR_PID = b"K" + struct.pack("!iii", 12, 4242, 4242)


@dataclass(slots=True, kw_only=True)
class Session:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    greeting: bytes


@dataclass(slots=True, kw_only=True)
class Pooler:
    """Lends the server's sessions; `lasting` ones stay with their client."""

    host: str
    port: int
    lasting: bool
    idle: list[Session] = field(default_factory=list)
    opened: list[Session] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            startup = await _startup(reader, writer)
            session = await self._session(startup)
            writer.write(session.greeting)
            if not self.lasting:
                self.idle.append(session)
            said: asyncio.Future[bytes] = asyncio.ensure_future(_frame(reader))
            while True:
                if (await said)[:1] in {b"", b"X"}:
                    break
                if not self.lasting:
                    session = await self._session(startup)
                said = await _until_idle(said, reader, writer, session)
                if not self.lasting:
                    self.idle.append(session)
        writer.close()

    async def _session(self, startup: bytes) -> Session:
        if self.idle:
            return self.idle.pop()
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(startup)
        greeting = frame = b""
        while frame[:1] != b"Z":
            frame = await _frame(reader)
            assert frame, "the server hung up"
            greeting += OUR_PID if frame[:1] == b"K" else frame
        session = Session(reader=reader, writer=writer, greeting=greeting)
        self.opened.append(session)
        return session


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    while True:
        head = await reader.readexactly(8)
        length, code = struct.unpack("!ii", head)
        if code != SSL_REQUEST:
            return head + await reader.readexactly(length - 8)
        writer.write(b"N")


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One message; nothing where the other side is gone."""
    try:
        head = await reader.readexactly(5)
        [length] = struct.unpack("!i", head[1:])
        return head + await reader.readexactly(length - 4)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def _until_idle(
    said: asyncio.Future[bytes],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    session: Session,
) -> asyncio.Future[bytes]:
    """Carry frames both ways until the server says that no transaction is open; the next frame."""
    answer = asyncio.ensure_future(_frame(session.reader))
    try:
        while True:
            await asyncio.wait([said, answer], return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                if not answer.result():
                    raise ConnectionResetError
                writer.write(answer.result())
                if answer.result()[:1] == b"Z" and answer.result()[-1:] == b"I":
                    return said
                answer = asyncio.ensure_future(_frame(session.reader))
            if said.done():
                if not said.result():
                    raise ConnectionResetError
                session.writer.write(said.result())
                said = asyncio.ensure_future(_frame(reader))
    finally:
        answer.cancel()


@contextlib.asynccontextmanager
async def pooler(url: str, *, lasting: bool) -> AsyncIterator[str]:
    """The address of a pooler before the server of `url`."""
    parts = urlsplit(url)
    made = Pooler(host=parts.hostname or "", port=parts.port or 5432, lasting=lasting)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    user = parts.netloc.rpartition("@")[0]
    try:
        yield parts._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()
    finally:
        server.close()
        for session in made.opened:
            session.writer.close()
        await asyncio.sleep(0.05)


@pytest.fixture(autouse=True)
async def _trusting(database_url: str) -> None:
    """The small pooler knows no passwords."""
    if urlsplit(database_url).password:
        pytest.skip("needs a server that trusts loopback: the embedded one")


async def test_the_pooler_of_this_test_changes_processes(database_url: str) -> None:
    async with pooler(database_url, lasting=False) as url:
        one = await asyncpg.connect(url, statement_cache_size=0, timeout=5)
        two = await asyncpg.connect(url, statement_cache_size=0, timeout=5)
        async with one.transaction(), two.transaction():
            pids = {await c.fetchval("select pg_backend_pid()") for c in (one, two)}
        assert len(pids) == 2
        one.terminate()
        two.terminate()


@pytest.mark.parametrize(
    ("lasting", "found"), [(False, Pooling.TRANSACTION), (True, Pooling.SESSION)]
)
async def test_what_stands_before_the_server(
    database_url: str, lasting: bool, found: Pooling
) -> None:
    async with pooler(database_url, lasting=lasting) as url:
        assert await pooling_at(url) is found
        [line] = await pooler_lines(url, what="pooler", topic="database")
    assert line.level == ("ok" if lasting else "fail")
    assert ("6543" in line.mend) is not lasting


async def test_a_server_without_one(database_url: str) -> None:
    assert await pooling_at(database_url) is Pooling.NONE
    [line] = await pooler_lines(database_url, what="pooler", topic="database")
    assert (line.level, line.mend) == ("ok", "")


async def test_the_known_port_is_not_asked() -> None:
    [line] = await pooler_lines("postgresql://u@127.0.0.1:6543/x", what="pooler", topic="database")
    assert line.level == "warn"
    assert "NOTIFY" in line.says
    assert "5432" in line.mend


async def test_a_server_that_is_away() -> None:
    with pytest.raises(DatabaseUnavailableError):
        await pooling_at("postgresql://u@127.0.0.1:1/x")
