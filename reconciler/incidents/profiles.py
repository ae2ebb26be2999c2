"""Profiles: which are contained, and letting one trade again once parity is confirmed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from reconciler.domain.book import Profile
from reconciler.domain.containments import Containment
from reconciler.domain.identity import AccountName, BookName, ProfileId
from reconciler.domain.incidents import (
    IncidentKey,
    IncidentKind,
    IncidentStatus,
    OpenIncident,
    Severity,
)
from reconciler.incidents.answers import (
    ContainmentRow,
    Done,
    IncidentRow,
    ProfileReport,
    ProfileRow,
)
from reconciler.incidents.desk import Actor, Desk, checked_note
from reconciler.incidents.errors import RefusedError
from reconciler.incidents.operating import SQL, Operation, operating
from reconciler.incidents.reading import answer_of, answers_of
from reconciler.incidents.reenabling import ask_bot, intend, record_reenabled
from reconciler.incidents.rows_of_books import (
    RECENT,
    ProfilePlace,
    Unread,
    as_written,
    find_profile,
    readings,
)
from reconciler.rules.reenabling import concerns, why_not_reenable
from reconciler.store.connecting import Connection, borrowed
from reconciler.store.queries import queries


async def list_profiles(
    desk: Desk, *, account: str | None = None, unread: Unread | None = None
) -> tuple[ProfileRow, ...]:
    """Every profile of the configured accounts; books that cannot be read are named in `unread`.

    Raises NotFoundError, BookUnreadableError, DatabaseUnavailableError.
    """
    rows: list[ProfileRow] = []
    async for reading in readings(desk, account=account, unread=unread):
        async with borrowed(desk.pool) as connection:
            standing = await _standing(connection, reading.book, reading.account)
            incidents = await _incidents(connection, reading.book, reading.account)
        rows += [
            _row(desk, profile, reading.book, standing, incidents) for profile in reading.profiles
        ]
    return tuple(rows)


async def show_profile(desk: Desk, profile_id: str, *, book: str | None = None) -> ProfileReport:
    """One profile, and what stands between it and trading. Raises NotFoundError, UsageError."""
    place = await find_profile(desk, profile_id, book=book)
    async with borrowed(desk.pool) as connection:
        standing = await _standing(connection, place.book.name, place.account)
        incidents = await _incidents(connection, place.book.name, place.account)
        past = await connection.fetch(
            SQL["containments_of_profile"], place.book.name, place.profile.id
        )
    contained = any(c["profile_id"] == place.profile.id for c in standing)
    return ProfileReport(
        profile=_row(desk, place.profile, place.book.name, standing, incidents),
        missing=_missing(desk, place.profile.id, standing, incidents) if contained else (),
        containments=answers_of(ContainmentRow, past),
        incidents=tuple(
            answer_of(IncidentRow, row)
            for row in incidents
            if concerns(_open_incident(row), place.profile.id)
        ),
    )


async def reenable(
    desk: Desk, actor: Actor, profile_id: str, *, note: str = "", book: str | None = None
) -> Done:
    """Let a contained profile trade again: only after parity is confirmed and with no SEV-1 of it
    open. Its status goes back to what it was before the containment.

    Raises NotFoundError, UsageError, BookUnreadableError; RefusedError with all that is missing.
    """
    note = checked_note(note)
    place = await find_profile(desk, profile_id, book=book, changes=True)
    async with operating(
        desk, actor, "profiles reenable", target=profile_id, account=place.account
    ) as operation:
        standing, status = await _granted(operation, place)
        if place.book.driver is None:
            return await _reenable(operation, place, note, standing, status=status)
        asked = await intend(operation, place, note, standing)
    return await ask_bot(desk, actor, place, asked)


async def _granted(operation: Operation, place: ProfilePlace) -> tuple[list[Any], str]:
    """The containments that end, and the status now.

    Raises RefusedError with all that is missing.
    """
    desk, connection, name = operation.desk, operation.connection, place.profile.id
    # A writing pass holds the lease: a ghost that it records now is seen below, or comes after us.
    await connection.fetchrow(queries("leases")["lock"], place.account)
    standing = await _standing(connection, place.book.name, place.account)
    mine = [c for c in standing if c["profile_id"] == name]
    incidents = await _incidents(connection, place.book.name, place.account)
    missing = _missing(desk, name, standing, incidents)
    if missing:
        raise RefusedError(missing)
    reading = await place.book.read_within(
        connection, place.account, reach=RECENT, symbol_of=as_written
    )
    now = next((p for p in reading.profiles if p.id == name), None)
    if now is None:
        raise RefusedError(f"profile {name} is not in the book any more")
    if now.is_active and place.book.tells_status:
        raise RefusedError(
            f"profile {name} is not inactive: its status is {now.status!r} already; the daemon "
            "notes that at its next look"
        )
    return mine, now.status


async def _reenable(
    operation: Operation,
    place: ProfilePlace,
    note: str,
    standing: Sequence[Any],
    *,
    status: str,
) -> Done:
    """In the transaction of its record."""
    name = place.profile.id
    back_to = standing[0]["status_before"] or "active"  # of the oldest: before any of them
    if name not in await place.book.activate(operation.connection, [(name, back_to)]):
        raise RefusedError(f"the book's statement left profile {name} {status!r}")
    await record_reenabled(operation, place, before=status, after=back_to, note=note)
    return operation.done(f"profile {name} is {back_to} again, and no longer contained")


def _missing(
    desk: Desk, profile_id: ProfileId, standing: Sequence[Any], incidents: Iterable[Any]
) -> tuple[str, ...]:
    return why_not_reenable(
        profile_id=profile_id,
        containments=[_containment(row) for row in standing],
        incidents=[_open_incident(row) for row in incidents],
        confirmations=desk.parity_needed,
        now=standing[0]["now"] if standing else datetime.now(UTC),
    )


def _row(
    desk: Desk,
    profile: Profile,
    book: BookName,
    standing: Iterable[Any],
    incidents: Iterable[Any],
) -> ProfileRow:
    mine = [row for row in standing if row["profile_id"] == profile.id]
    if any(not row["pending"] for row in mine) and not desk.books[book].tells_status:
        profile = replace(profile, status="inactive")  # as its bot confirmed
    return ProfileRow(
        id=profile.id,
        book=book,
        account=profile.account,
        name=profile.name,
        status=profile.status,
        active=profile.is_active,
        contained=bool(mine),
        contained_at=mine[0]["contained_at"] if mine else None,
        status_before=mine[0]["status_before"] if mine else None,
        parity_streak=min((row["parity_streak"] for row in mine), default=0),
        parity_needed=desk.parity_needed,
        incidents=tuple(
            row["id"] for row in incidents if concerns(_open_incident(row), profile.id)
        ),
        pending=next((said for said in map(_pending, mine) if said is not None), None),
    )


def _pending(row: Any) -> str | None:
    """What its bot was asked."""
    if row["asked"] is None:
        return "to be set inactive" if row["pending"] else None
    what = "to be set inactive" if row["asked"] == "deactivate" else "to trade again"
    return f"{what}: {row['last_error'] or 'its bot has not confirmed it yet'}"


async def _standing(connection: Connection, book: BookName, account: AccountName) -> Sequence[Any]:
    return await connection.fetch(SQL["containments_standing"], book, account)


async def _incidents(connection: Connection, book: BookName, account: AccountName) -> Sequence[Any]:
    """Kinds of a newer program are that program's: the rules here do not know them."""
    rows = await connection.fetch(SQL["incidents_of"], book, account)
    return [row for row in rows if row["kind"] in set(IncidentKind)]


def _containment(row: Any) -> Containment:
    return Containment(
        id=row["id"],
        profile_id=ProfileId(row["profile_id"]),
        incident_id=row["incident_id"],
        reason=row["reason"],
        contained_at=row["contained_at"],
        status_before=row["status_before"],
        parity_streak=row["parity_streak"],
        parity_seen_at=row["parity_seen_at"],
        pending=row["pending"],
        driver_key=row["driver_key"],
    )


def _open_incident(row: Any) -> OpenIncident:
    return OpenIncident(
        id=row["id"],
        key=IncidentKey(
            kind=IncidentKind(row["kind"]),
            book=BookName(row["book"]),
            account=AccountName(row["account"]),
            subject=row["subject"],
        ),
        severity=Severity(row["severity"]),
        status=IncidentStatus(row["status"]),
        title=row["title"],
        opened_at=row["opened_at"],
        parity_streak=row["parity_streak"],
        parity_seen_at=row["parity_seen_at"],
        details=json.loads(row["details"]),
        profile_id=row["profile_id"],
        symbol=row["symbol"],
    )
