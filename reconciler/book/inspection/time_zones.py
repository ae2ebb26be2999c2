"""Whether the book's times are what we read them as (rule 13).

A timestamp without a zone is written in the zone of the session that wrote it, which follows from
the server, the database or the role. A wrong one shifts every age by hours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from reconciler.book.inspection.asking import inner, samples_for, statements_of
from reconciler.book.preset import Preset
from reconciler.book.relations import mentions_of, relations_of
from reconciler.book.statements import Shape
from reconciler.store.connecting import Connection

RECENTLY = timedelta(days=1)

_ZONES = """
select coalesce(r.rolname, '') as role, coalesce(d.datname, '') as database,
       split_part(setting, '=', 2) as zone
from pg_db_role_setting s
left join pg_roles r on r.oid = s.setrole
left join pg_database d on d.oid = s.setdatabase
cross join unnest(s.setconfig) setting
where lower(split_part(setting, '=', 1)) = 'timezone'
  and (d.datname is null or d.datname = current_database())
"""
_NAIVE = """
select attname::text from pg_attribute
where attrelid = $1::oid and attnum > 0 and not attisdropped
  and atttypid = 'timestamp without time zone'::regtype
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeZones:
    """Which zones sessions of this database write in."""

    role: str
    """Ours."""
    session: str
    """Ours."""
    source: str
    """Where ours comes from, as `pg_settings.source` says it."""
    elsewhere: Mapping[str, str]
    """Zones that are set for a role, for the database, or for both: `role bot` → `Asia/Tokyo`."""
    naive: tuple[str, ...]
    """Columns without a zone that the book's statements read: `public.trades.open_date`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FutureRows:
    """Rows of a statement that claim to be of a time that is not yet."""

    statement: str
    rows: int
    latest: timedelta
    """How far ahead of the database's clock the latest is."""


async def time_zones_of(connection: Connection, preset: Preset) -> TimeZones:
    """Zones and naive columns."""
    ours = await connection.fetchrow(
        "select setting, source, current_user::text as role from pg_settings "
        "where name = 'TimeZone'"
    )
    naive: dict[str, None] = {}
    for shape, statement in statements_of(preset).values():
        if not shape.name.endswith(".select"):
            continue
        mentions = mentions_of(statement)
        for relation in (await relations_of(connection, mentions.reads)).values():
            rows = await connection.fetch(_NAIVE, relation.oid)
            columns = {row["attname"] for row in rows}
            wanted = columns if mentions.takes_all else columns & mentions.words
            naive |= {f"{relation.schema}.{relation.name}.{name}": None for name in sorted(wanted)}
    elsewhere = {}
    for row in await connection.fetch(_ZONES):
        where = [f"role {row['role']}"] if row["role"] else []
        where += [f"database {row['database']}"] if row["database"] else []
        elsewhere[" in ".join(where) or "every role"] = row["zone"]
    return TimeZones(
        role=ours["role"] if ours is not None else "",
        session=ours["setting"] if ours is not None else "UTC",
        source=ours["source"] if ours is not None else "default",
        elsewhere=elsewhere,
        naive=tuple(naive),
    )


async def future_rows_of(
    connection: Connection, preset: Preset, *, most: timedelta
) -> list[FutureRows]:
    """Statements whose rows are later than now by more than `most`; what we read them as counts."""
    found = []
    for shape, statement in statements_of(preset).values():
        if not shape.name.endswith(".select") or "updated_at" not in shape.columns:
            continue
        try:
            async with connection.transaction():
                row = await _future(connection, shape, statement, preset, most=most)
        except asyncpg.SyntaxOrAccessError:
            continue  # told by the check of the statements
        if row is not None and row["rows"]:
            found.append(FutureRows(statement=shape.name, rows=row["rows"], latest=row["ahead"]))
    return found


async def _future(
    connection: Connection, shape: Shape, statement: str, preset: Preset, *, most: timedelta
) -> asyncpg.Record | None:
    prepared = await connection.prepare(statement)
    samples = samples_for(shape, reach=RECENTLY)[: len(prepared.get_parameters())]
    last = len(samples)
    given = {a.name: a.type.name for a in prepared.get_attributes()}
    times = [
        f"{name} at time zone ${last + 2}::text" if given.get(name) == "timestamp" else name
        for name in ("updated_at", "created_at")
        if name in shape.columns
    ]
    asked = (
        "select count(*) as rows, max(latest) - clock_timestamp() as ahead from "  # noqa: S608 - names of ours, and the operator's own statement
        f"(select greatest({', '.join(times)}) as latest from ({inner(statement)}) r) t "
        f"where latest > clock_timestamp() + ${last + 1}::interval and ${last + 2}::text <> ''"
    )
    return await connection.fetchrow(asked, *samples, most, preset.timezone or "UTC")


def is_same_zone(one: str, other: str, *, now: datetime) -> bool:
    """Whether two names mean the same time now: `UTC`, `Etc/UTC`."""
    if one == other:
        return True
    try:
        return (
            now.astimezone(ZoneInfo(one)).utcoffset() == now.astimezone(ZoneInfo(other)).utcoffset()
        )
    except (KeyError, ValueError, OSError):  # a zone of the server's that Python does not know
        return False
