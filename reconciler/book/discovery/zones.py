"""The zone of timestamps that carry none: what can be told of it, and how."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from reconciler.book.discovery.catalogue import Column, Kind, Table
from reconciler.book.discovery.expressions import Notes
from reconciler.book.discovery.sampling import Sample

AHEAD = timedelta(minutes=2)
"""Later than this in the future, a time was not written in the zone we took it for."""
JUST_NOW = timedelta(minutes=15)


def zone_of(
    tables: Sequence[tuple[Table, Sample]],
    *,
    asked: str | None,
    server: str,
    now: datetime,
    notes: Notes,
) -> str:
    """Asked for, else told by defaults and by the latest rows, else UTC with a note."""
    naive = [
        (column, sample.of(column))
        for table, sample in tables
        for column in table.columns
        if column.kind in (Kind.NAIVE, Kind.DATE)
    ]
    if asked is not None or not naive:
        return asked or "UTC"
    names = ", ".join(sorted({column.name for column, _ in naive}))
    latest = max((t for _, values in naive for t in map(_parsed, values.words) if t), default=None)
    if any(_writes_utc(column) for column, _ in naive):
        notes.assumed.append(f"{names}: in UTC, as the default of one of them says")
        return "UTC"
    if latest is not None and server not in ("UTC", "Etc/UTC", "GMT"):
        by_server = latest.replace(tzinfo=ZoneInfo(server))
        by_utc = latest.replace(tzinfo=UTC)
        if by_utc > now + AHEAD >= by_server or abs(now - by_server) < JUST_NOW < abs(now - by_utc):
            notes.assumed.append(f"{names}: in the server's zone {server}, by the latest rows")
            return server
        if abs(now - by_utc) < JUST_NOW:
            notes.assumed.append(f"{names}: in UTC, by the latest rows")
            return "UTC"
    if latest is not None and latest.replace(tzinfo=UTC) > now + AHEAD:
        notes.untold.append(
            f"{names} carry no time zone, and the latest lies in the future if it is UTC: "
            "give the zone with --timezone"
        )
        return "UTC"
    notes.untold.append(
        f"{names} carry no time zone: read as UTC (the server's is {server}); if your bot writes "
        "local times, run this again with --timezone"
    )
    return "UTC"


def _writes_utc(column: Column) -> bool:
    return column.default is not None and "'utc'" in column.default.lower()


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
