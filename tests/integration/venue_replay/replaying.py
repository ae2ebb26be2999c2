"""Serving one sample to an unmodified ccxt, and holding what we read of it against its rows."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.domain.identity import AccountName, ClientOrderId, Symbol, VenueOrderId
from reconciler.domain.orders import BookOrder, VenueOrder
from reconciler.domain.positions import VenuePosition
from reconciler.domain.snapshot import (
    Completeness,
    Found,
    Lookup,
    NotFound,
    Scope,
    ScopeName,
    Snapshot,
    Unanswered,
)
from reconciler.venue.account import CcxtAccount
from reconciler.venue.connection import AccountConnection
from tests.integration.venue_adapter.accounts import TIMEOUT, book_order
from tests.integration.venue_adapter.canned import Canned, serving
from tests.integration.venue_replay.facts import Fact, FillFields, OrderFields, Row, at, number
from tests.integration.venue_replay.samples import samples_of
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
_LOST = re.compile(r"\d+ rows cannot be read|ccxt left out")


@asynccontextmanager
async def account_with(replay: VenueReplay, answer: Canned) -> AsyncIterator[CcxtAccount]:
    """Connect an account of the venue to a server on which it has that and nothing else."""
    async with serving() as server:
        table = [answer, *replay.empty, *replay.markets]
        # What is for some parameters alone comes first.
        server.public = sorted(table, key=lambda entry: not entry.where)
        credentials: dict[str, Any] = {
            "api_key": "key",
            "secret": "c2VjcmV0LW9mLXRoZS10ZXN0",
            **replay.credentials,
        }
        account = CcxtAccount(
            AccountConnection(
                name=AccountName("main"),
                venue=replay.venue,
                base_url=server.base_url,
                timeout=TIMEOUT,
                rate_share=1000.0,
                **credentials,
            )
        )
        try:
            await account.prepare()
            yield account
        finally:
            await account.close()


async def why_not_as_sent(replay: VenueReplay, seat: Seat, key: str) -> list[str]:
    """Return each difference between a sample and what the adapter makes of it, in words."""
    document = samples_of(replay.source)[key].document
    rows = seat.rows_of(document)
    assert rows, "a sample without rows proves nothing"
    async with account_with(replay, seat.canned(document)) as account:
        match seat.asked:
            case Asked.ORDER | Asked.TRIGGER_ORDER:
                return await _why_not_order(seat, account, rows[0])
            case Asked.FILLS:
                return await _why_not_fills(seat, account, rows, replay.partial.get(key))
            case _:
                snapshot = await account.snapshot(now=NOW)
                gaps = account.description.gaps if account.description else {}
                partial = replay.partial.get(key) or gaps.get(ScopeName(seat.asked.value))
                return _why_not_listing(seat, rows, snapshot, partial=partial)


async def scope_with_damage(replay: VenueReplay, seat: Seat, key: str) -> Scope:
    """Return what is said of a listing that has a row which cannot be read."""
    answer = seat.canned_with_damage(samples_of(replay.source)[key].document)
    async with account_with(replay, answer) as account:
        snapshot = await account.snapshot(now=NOW)
    return snapshot.scopes[ScopeName(seat.asked.value)]


def _why_not_listing(
    seat: Seat, rows: list[Row], snapshot: Snapshot, *, partial: str | None
) -> list[str]:
    name = ScopeName(seat.asked.value)
    scope = snapshot.scopes[name]
    said = scope.failure.detail if scope.failure else ""
    wanted = Completeness.PARTIAL if partial else Completeness.COMPLETE
    if scope.completeness is not wanted or (partial or "") not in said or _LOST.search(said):
        return [str(scope)]
    if scope.rows != len(rows):
        return [f"{scope.rows} rows, sent were {len(rows)}"]
    assert not isinstance(seat.fields, FillFields)
    facts = [fact for row in rows if (fact := seat.fields.fact_of(row)) is not None]
    is_trigger = name is ScopeName.TRIGGER_ORDERS
    read: list[VenueOrder | VenuePosition] = list(snapshot.positions)
    if name is not ScopeName.POSITIONS:
        read = [order for order in snapshot.orders if order.is_trigger is is_trigger]
    if len(read) != len(facts):
        return [f"{len(read)} read, the sample has {len(facts)}"]
    return [why for fact, one in zip(facts, read, strict=True) for why in fact.why_not(one)]


async def _why_not_order(seat: Seat, account: CcxtAccount, row: Any) -> list[str]:
    assert isinstance(seat.fields, OrderFields)
    fact = seat.fields.fact_of(row)
    order = _book_order(account, seat, fact)
    differs = _why_not_found(await account.look_up(order, now=NOW), fact)
    if seat.by_client_order_id and fact.client_order_id:
        order = replace(order, venue_order_id=None)
        differs += _why_not_found(await account.look_up(order, now=NOW), fact)
    return differs


def _why_not_found(found: Lookup, fact: Fact) -> list[str]:
    return fact.why_not(found.order) if isinstance(found, Found) else [str(found)]


async def _why_not_fills(
    seat: Seat, account: CcxtAccount, rows: list[Row], partial: str | None
) -> list[str]:
    assert isinstance(seat.fields, FillFields)
    facts = [seat.fields.fact_of(row) for row in rows]
    first = min(_moment(seat.fields, row) for row in rows)
    order = _book_order(account, seat, facts[0], created_at=first)
    found = await account.look_up(order, now=first + HOUR)
    if partial is not None:
        told = isinstance(found, Unanswered) and partial in found.failure.detail
        return [] if told else [str(found)]
    if not isinstance(found, NotFound):
        return [str(found)]
    if len(found.fills) != len(facts):
        return [f"{len(found.fills)} fills, sent were {len(facts)}"]
    return [
        why for fact, fill in zip(facts, found.fills, strict=True) for why in fact.why_not(fill)
    ]


def _moment(fields: FillFields, row: Any) -> datetime:
    said = at(row, fields.at_ms)
    if isinstance(said, str) and "T" in said:
        return datetime.fromisoformat(said)
    found = number(row, fields.at_ms)
    assert found is not None
    seconds = float(found)
    while seconds > 1e10:
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC)


def _book_order(account: CcxtAccount, seat: Seat, fact: Fact, **changes: Any) -> BookOrder:
    asked: dict[str, Any] = {
        "symbol": account.symbol_of(fact.symbol),
        "raw_symbol": Symbol(fact.symbol),
        "venue_order_id": VenueOrderId(fact.order_id) if fact.order_id else None,
        "client_order_id": ClientOrderId(fact.client_order_id) if fact.client_order_id else None,
        "type": "stop_market" if seat.asked is Asked.TRIGGER_ORDER else "limit",
    }
    return book_order(**asked, **changes)
