"""Intents in a write transaction: recorded before the book is written, ended with its record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from reconciler.domain.identity import AccountName, BookName
from reconciler.domain.intents import (
    Abandoned,
    Intent,
    IntentDraft,
    IntentKind,
    SetAside,
    WriteMark,
)
from reconciler.store.connecting import Connection
from reconciler.store.incident_record import Redact, to_json
from reconciler.store.queries import queries

SQL = queries("intents")


class IntentRecord:
    """The intents of one account. Every method is one or two statements of an open transaction."""

    def __init__(
        self, connection: Connection, *, book: BookName, account: AccountName, redact: Redact
    ) -> None:
        self._connection = connection
        self._redact = redact
        self._book = book
        self._account = account

    def _json(self, value: Any) -> str:
        return json.dumps(self._redact(json.loads(to_json(value))), ensure_ascii=False)

    async def add(self, draft: IntentDraft) -> Intent:
        """One more, due at once; the one that stands where the profile has it already."""
        row = await self._connection.fetchrow(
            SQL["add"],
            self._book,
            self._account,
            draft.kind,
            draft.target,
            draft.key,
            draft.incident_id,
            self._json(draft.payload),
        )
        assert row is not None
        found = await self.open()
        return next(intent for intent in found if intent.id == row["id"])

    async def close_review(self, order_id: str, review: Mapping[str, str]) -> int | None:
        """What a person said of a quarantined order: `status`, `by`, `note`; its incident."""
        incident_id: int | None = await self._connection.fetchval(
            SQL["close_review"],
            self._book,
            order_id,
            review["status"],
            review["by"],
            str(self._redact(review["note"])),
        )
        return incident_id

    async def open(self) -> tuple[Intent, ...]:
        """What is not known to be done."""
        return await open_intents(self._connection, book=self._book, account=self._account)

    async def drop_other(self, kind: IntentKind, target: str) -> None:
        """What was to be done to the profile before is not to be done any more."""
        await self._connection.execute(SQL["drop_other"], self._book, target, kind)

    async def begin_attempt(self, intent: Intent) -> Intent | None:
        """One more attempt; None where another process makes one, or it is over."""
        begun = await self._connection.fetchval(
            SQL["begin_attempt"], intent.id, intent.attempts, intent.next_wait
        )
        return replace(intent, attempts=intent.attempts + 1) if begun is not None else None

    async def fail(self, intent: Intent, why: str, *, again_in: timedelta) -> None:
        """Why it could not be done, and when it is tried again."""
        said = str(self._redact(why))
        await self._connection.execute(SQL["fail"], intent.id, said, again_in)

    async def mark(self, intent: Intent, mark: WriteMark) -> Intent | None:
        """The transaction that is about to write the book; None where the intent is over."""
        text = to_json(
            {
                "transaction": mark.transaction,
                "from": mark.written_from,
                "to": mark.written_to,
                "ids": mark.ids,
            }
        )
        kept = await self._connection.fetchval(SQL["mark"], intent.id, text)
        return replace(intent, mark=mark) if kept is not None else None

    async def finish(self, intent: Intent | Abandoned, outcome: str) -> bool:
        """It is done or dropped; False where it was already."""
        ended = await self._connection.fetchval(SQL["finish"], intent.id, outcome)
        return ended is not None

    async def abandon(self, intent: Abandoned, why: str) -> str | None:
        """Nobody is asked any more: told on the timeline of what it was for, and closed. What is
        said, or None where it was over.
        """
        if not await self.finish(intent, "abandoned"):
            return None
        about = [intent.incident_id] if intent.incident_id is not None else []
        match intent.kind:
            case IntentKind.DEACTIVATE:
                event, what = "not_contained", f"profile {intent.target} is asked no more to stop"
                about = await self.drop_containments(intent.target, by="never confirmed")
            case IntentKind.ACTIVATE:
                event, what = "not_reenabled", f"profile {intent.target} is asked no more to trade"
            case IntentKind.UPDATE_ORDERS:
                event, what = "not_known", "whether its orders were written is not known any more"
        text = f"{what}: {why}"
        for incident_id in about:
            await self._connection.execute(SQL["add_event"], incident_id, event, text)
            if intent.kind is IntentKind.DEACTIVATE:
                details = await self.details_of(incident_id)
                await self.keep_details(
                    incident_id, {**details, "containment": None, "not_contained": text}
                )
        return text

    async def confirm_containments(self, profile_id: str) -> Sequence[asyncpg.Record]:
        """Those that waited: `incident_id`, `status_before`, `reason` of each."""
        return await self._connection.fetch(SQL["confirm_containments"], self._book, profile_id)

    async def drop_containments(self, profile_id: str, *, by: str) -> list[int]:
        """Those that were never confirmed; their incidents."""
        rows = await self._connection.fetch(SQL["drop_containments"], self._book, profile_id, by)
        return [row["incident_id"] for row in rows if row["incident_id"] is not None]

    async def release_containments(self, profile_id: str, *, by: str) -> list[int]:
        """It trades again; the incidents."""
        rows = await self._connection.fetch(SQL["release_containments"], self._book, profile_id, by)
        return [row["incident_id"] for row in rows if row["incident_id"] is not None]

    async def pending_of(self, incident_id: int) -> tuple[str, ...]:
        """Profiles of this incident that wait for their bot."""
        rows = await self._connection.fetch(SQL["pending_of_incident"], incident_id)
        return tuple(row["profile_id"] for row in rows)

    async def details_of(self, incident_id: int) -> dict[str, Any]:
        """What is known of an incident, held until the end of the transaction."""
        text = await self._connection.fetchval(SQL["details"], incident_id)
        return dict(json.loads(text)) if text is not None else {}

    async def keep_details(self, incident_id: int, details: Mapping[str, Any]) -> None:
        """What is known of it now."""
        await self._connection.execute(SQL["keep_details"], incident_id, self._json(details))


async def open_intents(
    connection: Connection, *, book: BookName, account: AccountName
) -> tuple[Intent, ...]:
    """What is not known to be done, the oldest first."""
    rows = await connection.fetch(SQL["open_of_account"], book, account)
    return tuple(_intent(row) for row in rows)


async def set_aside(
    connection: Connection, *, book: BookName, order_ids: Sequence[str]
) -> tuple[SetAside, ...]:
    """Those of these orders that were quarantined or reviewed."""
    rows = await connection.fetch(SQL["set_aside"], book, list(order_ids))
    return tuple(
        SetAside(
            order_id=row["order_id"],
            seen_status=row["status_before"],
            final_status=row["final_status"] if row["review"] == "resolved" else None,
        )
        for row in rows
    )


def _intent(row: asyncpg.Record) -> Intent:
    return Intent(
        id=row["id"],
        kind=IntentKind(row["kind"]),
        target=row["target"],
        key=row["key"],
        incident_id=row["incident_id"],
        payload=json.loads(row["payload"]),
        attempts=row["attempts"],
        due_in=row["due_in"],
        last_error=row["last_error"],
        is_wanted=row["is_wanted"],
        mark=_mark(json.loads(row["mark"])) if row["mark"] is not None else None,
    )


def _mark(kept: Mapping[str, Any]) -> WriteMark:
    return WriteMark(
        transaction=kept["transaction"],
        written_from=datetime.fromisoformat(kept["from"]),
        written_to=datetime.fromisoformat(kept["to"]),
        ids=tuple(kept["ids"]),
    )
