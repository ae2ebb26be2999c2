"""From outbox rows to deliveries: one for each channel, grouped by cause, or held back while a
maintenance window is open.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.domain.identity import AccountName
from reconciler.rules.grouping import Cause, cause_of
from reconciler.store.connecting import Connection, Pool, borrowed
from reconciler.store.queries import queries

SQL = queries("outbox")
LOCK = 7_236_452_020
"""Beside the keys of migrations and housekeeping."""
AT_ONCE = timedelta(0)
REMINDER = "incident_reminder"
OPENING = frozenset({"incident_opened", "incident_reopened", "incident_escalated", REMINDER})
OVER = "incident_resolved"

OpenUntil = Callable[[str, datetime], datetime | None]
"""(venue, time): when the maintenance window ends that is open then."""


def _never_open(_venue: str, _at: datetime) -> datetime | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a notice's account stands for. Accounts that are not configured here have no venue."""

    venues: Mapping[AccountName, str] = field(default_factory=dict)
    """Venue by account, as `[maintenance]` names it."""
    places: Mapping[AccountName, str] = field(default_factory=dict)
    """Venue and host by account: what one outage takes away."""
    books: Mapping[AccountName, str] = field(default_factory=dict)
    """Book by account."""
    open_until: OpenUntil = _never_open
    outage_within: Mapping[AccountName, timedelta] = field(default_factory=dict)
    """By account: how long an outage of its venue needs until every account has confirmed it."""

    def accounts_of(self, whose: str) -> list[AccountName]:
        """The accounts of a `Cause.whose`."""
        return [
            account
            for account in self.venues
            if whose in {f"venue {self.places.get(account)}", f"book {self.books.get(account)}"}
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notice:
    id: int
    incident_id: int | None
    payload: dict[str, Any]
    was_withheld: bool

    @property
    def event(self) -> str:
        return str(self.payload.get("event", ""))


class Planner:
    """Gives new notices to the channels."""

    def __init__(self, pool: Pool, channels: Sequence[str], around: Surroundings) -> None:
        self._pool = pool
        self._channels = list(channels)
        self._around = around
        self._has_begun = False

    async def plan(self, *, hold: bool = True) -> None:
        """Plan everything that is new. Without `hold` nothing waits for others of its cause."""
        async with borrowed(self._pool) as connection, connection.transaction():
            if not await connection.fetchval(SQL["plan_alone"], LOCK):
                return
            if not self._has_begun:  # what was planned before may be configured otherwise now
                await connection.execute(SQL["adopt"], self._channels)
                await connection.execute(SQL["look_again"])
            rows = await connection.fetch(SQL["unplanned"])
            released: dict[int | None, list[_Notice]] = {}
            fresh: list[_Notice] = []
            for row in rows:
                notice = _Notice(
                    id=row["id"],
                    incident_id=row["incident_id"],
                    payload=object_of(row["payload"]),
                    was_withheld=row["withheld_until"] is not None,
                )
                until = self._window(notice, row["now"])
                if until is not None:
                    await _withhold(connection, notice, until)
                elif notice.was_withheld or notice.incident_id in released.keys() - {None}:
                    released.setdefault(notice.incident_id, []).append(notice)
                else:
                    fresh.append(notice)
            for notices in released.values():
                await self._release(connection, notices)
            causes: dict[str, tuple[Cause, _Notice]] = {}
            for notice in fresh:
                cause = self._cause(notice.payload)
                await self._give(connection, notice, cause, hold=hold)
                if cause is not None:
                    causes[cause.key] = cause, notice
            for cause, notice in causes.values():
                await self._wait_no_longer(connection, cause, notice)
        self._has_begun = True

    def _window(self, notice: _Notice, now: datetime) -> datetime | None:
        venue = self._around.venues.get(AccountName(str(notice.payload.get("account"))))
        return self._around.open_until(venue, now) if venue is not None else None

    def _place(self, payload: Mapping[str, Any]) -> str:
        account = AccountName(str(payload.get("account")))
        return self._around.places.get(account, f"of account {account}")

    def _cause(self, payload: Mapping[str, Any]) -> Cause | None:
        """None: a notice that is no incident's is told alone."""
        if "kind" not in payload:
            return None
        account = AccountName(str(payload.get("account")))
        return cause_of(
            event=str(payload.get("event", "")),
            kind=str(payload["kind"]),
            severity=str(payload.get("severity", "")),
            account=account,
            book=str(payload.get("book")),
            place=self._place(payload),
            outage_within=self._around.outage_within.get(account, AT_ONCE),
        )

    async def _give(
        self, connection: Connection, notice: _Notice, cause: Cause | None, *, hold: bool
    ) -> None:
        key, wait = (cause.key, cause.hold) if cause is not None else (None, AT_ONCE)
        await connection.execute(
            SQL["plan"], notice.id, key, self._channels, wait if hold else AT_ONCE
        )

    async def _wait_no_longer(self, connection: Connection, cause: Cause, notice: _Notice) -> None:
        """The last account has joined: who has one account waits for nobody."""
        if cause.whose is None:
            return
        accounts = self._around.accounts_of(cause.whose)
        left = await connection.fetchval(SQL["affected"], notice.payload["kind"], accounts)
        if left == (0 if notice.event == OVER else len(accounts)):
            await connection.execute(SQL["wait_no_longer"], cause.key)

    async def _release(self, connection: Connection, notices: list[_Notice]) -> None:
        """The window is over: what goes on is told once, what is over is told if its beginning
        was, and the rest never.
        """
        told = notices
        if notices[0].incident_id is not None:
            row = await connection.fetchrow(
                SQL["incident_now"], notices[0].incident_id, notices[0].id
            )
            goes_on = row is not None and row["status"] != "resolved"
            was_told = row is not None and row["told"] not in {None, OVER}
            told = _last_news(notices) if goes_on else [n for n in notices if n.event == OVER][-1:]
            if not goes_on and not was_told:
                told = []
            told = [*told, *(n for n in notices if "kind" not in n.payload)]
        untold = [notice.id for notice in notices if notice not in told]
        if untold:
            await connection.execute(SQL["never_told"], untold, "not told: maintenance window")
        for notice in told:
            kind = "over" if notice.event == OVER else "open"
            key = f"maintenance|{kind}|{self._place(notice.payload)}"
            cause = Cause(key=key, hold=AT_ONCE) if "kind" in notice.payload else None
            await self._give(connection, notice, cause, hold=False)


def _last_news(notices: Sequence[_Notice]) -> list[_Notice]:
    """The last that says how bad it is; a reminder only where there is nothing else."""
    opening = [notice for notice in notices if notice.event in OPENING]
    return ([notice for notice in opening if notice.event != REMINDER] or opening)[-1:]


def object_of(payload: str) -> dict[str, Any]:
    """A row that somebody else wrote must not end the daemon."""
    found = json.loads(payload)
    return found if isinstance(found, dict) else {"title": str(found)}


async def _withhold(connection: Connection, notice: _Notice, until: datetime) -> None:
    await connection.execute(SQL["withhold"], notice.id, until)
    if notice.incident_id is None:
        return
    text = f"not told: maintenance window until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    await connection.execute(SQL["note_not_told"], notice.incident_id, text)
