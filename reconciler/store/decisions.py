"""What people decided about an account, who is contained, and the stale backlog: one statement."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.domain.backlogs import BacklogSample
from reconciler.domain.containments import Containment
from reconciler.domain.decisions import Acceptance, Ignored, Pause
from reconciler.domain.identity import AccountName, BookName, ProfileId
from reconciler.store.connecting import Connection
from reconciler.store.queries import queries

DECISIONS = queries("decisions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """As `Memory` has them."""

    pause: Pause | None
    acceptance: Acceptance | None
    ignored: Ignored
    containments: tuple[Containment, ...]
    backlog: tuple[BacklogSample, ...]


async def load_decisions(
    connection: Connection, *, book: BookName, account: AccountName
) -> Decisions:
    """Empty for most accounts at most times."""
    row = await connection.fetchrow(DECISIONS["read"], book, account)
    assert row is not None
    found = {key: json.loads(value) for key, value in row.items() if value is not None}
    ignored = found.get("ignores", ())
    return Decisions(
        pause=_pause(found["pause"]) if "pause" in found else None,
        acceptance=_acceptance(found["acceptance"]) if "acceptance" in found else None,
        ignored=Ignored(
            symbols=tuple(value for what, value in ignored if what == "symbol"),
            venue_order_ids=tuple(value for what, value in ignored if what == "venue_order_id"),
        ),
        containments=tuple(_containment(each) for each in found.get("containments", ())),
        backlog=tuple(
            BacklogSample(account=account, profile_id=ProfileId(profile), at=_time(at), stale=stale)
            for profile, at, stale in found.get("backlog", ())
        ),
    )


def _pause(row: Mapping[str, Any]) -> Pause:
    until = row["until"]
    return Pause(paused_by=row["by"], until=_time(until) if until is not None else None)


def _acceptance(row: Mapping[str, Any]) -> Acceptance:
    return Acceptance(
        id=row["id"],
        accepted_by=row["by"],
        accepted_at=_time(row["at"]),
        expires_at=_time(row["expires_at"]),
    )


def _containment(row: Mapping[str, Any]) -> Containment:
    seen_at, reviewed_at, held = row["parity_seen_at"], row["reviewed_at"], row["held"]
    return Containment(
        id=row["id"],
        profile_id=ProfileId(row["profile_id"]),
        incident_id=row["incident_id"],
        reason=row["reason"],
        contained_at=_time(row["contained_at"]),
        symbol=row["symbol"],
        status_before=row["status_before"],
        parity_streak=row["parity_streak"],
        parity_seen_at=_time(seen_at) if seen_at is not None else None,
        held=frozenset(held) if held is not None else None,
        reviewed_at=_time(reviewed_at) if reviewed_at is not None else None,
        pending=row["pending"],
        driver_key=row["driver_key"],
    )


def _time(text: str) -> datetime:
    """Postgres writes it in the session's zone."""
    return datetime.fromisoformat(text).astimezone(UTC)
