"""Numbers over the own tables, for metrics and health."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.store.connecting import Connection
from reconciler.store.queries import queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is open now, in the whole database."""

    incidents: Mapping[tuple[str, str], int]
    """By (severity, kind)."""
    contained: Mapping[str, int]
    """Profiles by account."""
    outbox_pending: int


async def count(connection: Connection) -> Counts:
    """Three small statements over indexes."""
    incidents = await connection.fetch(queries("incidents")["count_open"])
    contained = await connection.fetch(queries("records")["count_contained"])
    pending = await connection.fetchval(queries("outbox")["count_pending"])
    return Counts(
        incidents={(r["severity"], r["kind"]): r["n"] for r in incidents},
        contained={r["account"]: r["n"] for r in contained},
        outbox_pending=pending,
    )
