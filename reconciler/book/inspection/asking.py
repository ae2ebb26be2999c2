"""How the doctor asks: in a read-only transaction, with limits of its own."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

from reconciler.book.preset import Preset
from reconciler.book.statements import SHAPES, Shape
from reconciler.store.connecting import Connection, Pool, borrowed

LONGEST = timedelta(seconds=20)
"""Of one statement: below the 30 s of our own statements, which the daemon would give it."""
LOCKED_FOR = timedelta(seconds=1)
"""A migration of the bot may hold its tables for longer: then it is said, not waited for."""


@contextlib.asynccontextmanager
async def asking(pool: Pool) -> AsyncIterator[Connection]:
    """A connection that can write nothing, and gives up soon.

    Raises DatabaseUnavailableError, DatabaseRefusedError (which says what the server says).
    """
    async with borrowed(pool) as connection, connection.transaction(readonly=True):
        for name, span in (("statement_timeout", LONGEST), ("lock_timeout", LOCKED_FOR)):
            milliseconds = f"{span.total_seconds() * 1000:.0f}"
            await connection.execute("select set_config($1, $2, true)", name, milliseconds)
        yield connection


def statements_of(preset: Preset) -> Mapping[str, tuple[Shape, str]]:
    """The statements that a preset has, by attribute: some books have none to write orders with."""
    return {
        attribute: (shape, statement)
        for attribute, shape in SHAPES.items()
        if (statement := getattr(preset, attribute))
    }


def samples_for(shape: Shape, *, reach: timedelta = timedelta(minutes=10)) -> list[object]:
    """Values of the right types: an id that nobody has, a time that the cycle would ask for."""
    since = datetime.now(UTC) - reach
    return [_SAMPLES.get(kind, since) for kind in shape.parameters]


SAMPLE_ID = "reconciler-check"
_SAMPLES: Mapping[str, object] = {
    "text[]": [SAMPLE_ID],
    "numeric[]": [None],
    "text": SAMPLE_ID,
    "interval": timedelta(),
}


async def taken_by(connection: Connection, statement: str, samples: list[object]) -> list[object]:
    """As many of the samples as the statement takes."""
    prepared = await connection.prepare(statement)
    return samples[: len(prepared.get_parameters())]


def inner(statement: str) -> str:
    """A statement as it can stand in FROM; a comment may end it."""
    return f"{statement.strip().rstrip(';')}\n"
