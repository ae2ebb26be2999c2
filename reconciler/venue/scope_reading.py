"""Reading one scope of an account: its calls, its rows, and what stands against "that is all"."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.domain.orders import VenueOrder
from reconciler.domain.positions import VenueBalance, VenuePosition
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    Failure,
    Scope,
    ScopeName,
)
from reconciler.venue.calls import VenueCalls
from reconciler.venue.classify import VenueCallError, refused_locally, says_one_of
from reconciler.venue.connection import Exchange
from reconciler.venue.description import CallName, ListingCall, VenueDescription
from reconciler.venue.known_rows import KnownRows
from reconciler.venue.paging import Page, read_pages
from reconciler.venue.raw_calls import account_params, asking
from reconciler.venue.raw_json import keyed_rows, rows_in, rows_within
from reconciler.venue.translate import NotUnderstoodError, UnknownMarketError
from reconciler.venue.translator import Translator

CALL_OF = {
    ScopeName.OPEN_ORDERS: CallName.OPEN_ORDERS,
    ScopeName.TRIGGER_ORDERS: CallName.TRIGGER_ORDERS,
    ScopeName.POSITIONS: CallName.POSITIONS,
    ScopeName.BALANCES: CallName.BALANCES,
}
ROWS_AT_A_TIME = 500
"""Parsing blocks the event loop for about 20 ms per so many rows; others have a turn between."""


@dataclass(slots=True, kw_only=True)
class Listed:
    """What one scope's calls listed, not translated yet."""

    scope: ScopeName
    parts: list[tuple[ListingCall, list[Any]]] = field(default_factory=list)
    gap: str | None = None
    """Why no call at this venue shows all of it."""
    complaints: list[str] = field(default_factory=list)
    """Why there may be more than these rows."""
    failure: Failure | None = None
    """Set where a call failed: then nothing of the scope counts."""


@dataclass(slots=True, kw_only=True)
class Translated:
    """One scope in domain values."""

    scope: Scope
    orders: list[VenueOrder] = field(default_factory=list)
    positions: list[VenuePosition] = field(default_factory=list)
    balances: list[VenueBalance] = field(default_factory=list)
    unknown_market: bool = False
    """Some row could be counted once its market is loaded."""


async def read_scope(
    name: ScopeName,
    *,
    exchange: Exchange,
    description: VenueDescription,
    calls: VenueCalls,
) -> Listed:
    """Make all calls of one scope.

    Raises:
        VenueCallError: one of them, or one page of one, failed.

    """
    listed = Listed(scope=name, gap=description.gaps.get(name))
    for listing in description.listings:
        if listing.scope is name:
            await _read_listing(listing, listed, exchange=exchange, calls=calls)
    return listed


async def _read_listing(
    listing: ListingCall, listed: Listed, *, exchange: Exchange, calls: VenueCalls
) -> None:
    rows: list[Any] = []
    try:
        for each in await _each_of(listing, exchange=exchange, calls=calls):
            rows += await _rows_listed(listing, each, listed, exchange=exchange, calls=calls)
    except VenueCallError as error:
        if rows or not says_one_of(error.__cause__, listing.none_words):
            raise
    listed.parts.append((listing, [row for row in rows if not _is_over(row, listing)]))


async def _each_of(
    listing: ListingCall, *, exchange: Exchange, calls: VenueCalls
) -> list[dict[str, Any]]:
    """Return the parameters of each time that the listing is asked."""
    each = listing.each
    if each is None:
        return [{}]
    answer, _ = await calls.make(
        CALL_OF[listing.scope], lambda: asking(exchange, each.method)(each.params)
    )
    values = rows_in(answer, each.values_at, null_is_none=each.null_is_none)
    if values is None or not all(isinstance(value, str) and value for value in values):
        detail = f"{each.method} gave no list of values"
        raise refused_locally(AnswerKind.NO_ANSWER, CALL_OF[listing.scope], detail)
    return [{each.param: value} for value in dict.fromkeys(values)]


def _is_over(row: Any, listing: ListingCall) -> bool:
    return isinstance(row, dict) and any(
        row.get(key) in words for key, words in listing.ended.items()
    )


async def _rows_listed(
    listing: ListingCall,
    each: Mapping[str, Any],
    listed: Listed,
    *,
    exchange: Exchange,
    calls: VenueCalls,
) -> list[Any]:
    is_raw = listing.rows_at is not None
    always = {**listing.params, **account_params(exchange, listing.account_params), **each}

    async def ask(params: Mapping[str, Any]) -> Page:
        asked = {**always, **params}
        answer, heard = await calls.make(
            CALL_OF[listing.scope],
            lambda: (
                asking(exchange, listing.method)(asked)
                if is_raw
                else getattr(exchange, listing.method)(params=asked)
            ),
        )
        rows = _rows_of(answer, listing)
        if rows is None:
            detail = f"{listing.method} gave no list"
            raise refused_locally(AnswerKind.NO_ANSWER, CALL_OF[listing.scope], detail)
        if is_raw:
            return Page(rows=rows, document=answer)
        listed.complaints += _why_not_all_rows(heard.rows, len(rows))
        return Page(rows=rows, document=heard.document)

    pages = await read_pages(ask, listing.paging)
    if pages.why_not_all:
        listed.complaints.append(pages.why_not_all)
    if listing.paging is None and len(pages.rows) in listing.looks_full_at:
        listed.complaints.append(f"{len(pages.rows)} rows look like a full page")
    return pages.rows


def _rows_of(answer: Any, listing: ListingCall) -> list[Any] | None:
    at = listing.rows_at or ()
    if listing.keyed_as is not None:
        return keyed_rows(answer, at, keyed_as=listing.keyed_as)
    rows = rows_in(answer, at, null_is_none=listing.null_is_none)
    return rows_within(rows, listing.within) if rows and listing.within else rows


def _why_not_all_rows(sent: int | None, parsed: int) -> list[str]:
    if sent is None:
        return ["the answer does not show how many rows it holds"]
    if parsed < sent:
        return [f"ccxt left out {sent - parsed} of {sent} rows"]
    return []


async def translate_scope(listed: Listed, translator: Translator) -> Translated:
    """Translate every row of a scope; rows that cannot be read make it partial."""
    if listed.failure is not None:
        return Translated(scope=failed(listed.scope, listed.failure))
    result = Translated(scope=Scope(name=listed.scope, completeness=Completeness.COMPLETE))
    unread: list[str] = []
    total = 0
    for listing, rows in listed.parts:
        known = translator.rows_known_of(listing)
        before = len(result.positions)
        for row in rows:
            total += 1
            if total % ROWS_AT_A_TIME == 0:
                await asyncio.sleep(0)
            try:
                _translate_row(row, listing, result, translator, known)
            except NotUnderstoodError as error:
                unread.append(str(error))
                result.unknown_market |= isinstance(error, UnknownMarketError)
        if listing.paging is not None:
            result.positions[before:] = _once_each(result.positions[before:])
    complaints = list(listed.complaints)
    if unread:
        complaints.insert(0, f"{len(unread)} of {total} rows cannot be read: {unread[0]}")
    result.scope = _scope(listed, total, complaints)
    return result


def _once_each(positions: list[VenuePosition]) -> list[VenuePosition]:
    """Return the positions of a listing by pages without those that overlapping pages show twice.

    The venues that list positions by pages have one row of a market and leg.
    """
    return list({(held.symbol, held.side, held.hedged): held for held in positions}.values())


def _translate_row(
    row: Any, listing: ListingCall, result: Translated, translator: Translator, known: KnownRows
) -> None:
    _refuse_uncountable(row, listing)
    if listing.scope is ScopeName.POSITIONS:
        position = translator.position_of(row, listing)
        if position is not None:
            result.positions.append(position)
        return
    if listing.scope is ScopeName.BALANCES:
        balance = translator.balance_of(row)
        if balance is not None:
            result.balances.append(balance)
        return
    is_trigger = listing.scope is ScopeName.TRIGGER_ORDERS
    if listing.rows_at is None:
        result.orders.append(translator.order_of(row, is_trigger=is_trigger))
        return

    def parse() -> VenueOrder:
        market = translator.market_of_row(row, listing)
        return translator.order_of_row(row, is_trigger=is_trigger, market=market, ids=listing.ids)

    result.orders.append(known.order_of(row, parse))


def _refuse_uncountable(row: Any, listing: ListingCall) -> None:
    if not isinstance(row, dict):
        return
    for key, words in listing.uncountable.items():
        if row.get(key) in words:
            raise NotUnderstoodError(f"{row[key]} is not counted in base units")


def _scope(listed: Listed, rows: int, complaints: list[str]) -> Scope:
    name = listed.scope
    if not complaints and listed.gap is None:
        return Scope(name=name, completeness=Completeness.COMPLETE, rows=rows)
    failure = Failure(
        kind=AnswerKind.NO_ANSWER if complaints else AnswerKind.UNSUPPORTED,
        call=CALL_OF[name],
        detail="; ".join([*complaints, *([listed.gap] if listed.gap else [])]),
    )
    return Scope(name=name, completeness=Completeness.PARTIAL, failure=failure, rows=rows)


def failed(name: ScopeName, failure: Failure) -> Scope:
    """Return a scope of which nothing is known."""
    return Scope(name=name, completeness=Completeness.FAILED, failure=failure)
