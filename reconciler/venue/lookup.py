"""The ladder of rule 2, which proves that the venue knows no such order.

Each rung must answer. One that does not (outage, throttling, rights) ends the climb as
`Unanswered`, which proves nothing. `NotFound` names every rung that answered.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum

from reconciler.domain.identity import ClientOrderId
from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.domain.snapshot import AnswerKind, Found, Lookup, NotFound, ScopeName, Unanswered
from reconciler.venue.calls import VenueCalls
from reconciler.venue.classify import VenueCallError, refused_locally
from reconciler.venue.connection import Exchange
from reconciler.venue.description import CallName, LookupCall, VenueDescription
from reconciler.venue.fills_reading import FillsReading
from reconciler.venue.markets import place_of
from reconciler.venue.order_asking import OrderAsking
from reconciler.venue.translator import Translator

BY_ID = "venue_order_id"
BY_CLIENT_ID = "client_order_id"
MOST_REPLACEMENTS = 50
_TRIGGER_WORDS = re.compile(
    r"stop|take_?profit|trail|trigger|conditional|if_touched|(^|_)(oco|sl|tp)(_|$)"
)
_REGULAR_TYPES = frozenset({"limit", "market", "limitmaker", "postonly", "ioc", "fok"})
_ENDED_UNFILLED = frozenset({OrderState.CANCELED, OrderState.EXPIRED})


class Triggering(Enum):
    """Whether a book row is a trigger order, which some venues keep at another endpoint."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def triggering_of(order: BookOrder) -> Triggering:
    """Return what the row's type and role say."""
    words = f"{order.type or ''} {order.role or ''}".lower().replace("-", "_").replace(" ", "_")
    if _TRIGGER_WORDS.search(words):
        return Triggering.YES
    kind = re.sub(r"[^a-z]", "", (order.type or "").lower())
    return Triggering.NO if kind in _REGULAR_TYPES else Triggering.UNKNOWN


class OrderLookup:
    """Looks orders of one account up."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        description: VenueDescription,
        calls: VenueCalls,
        translator: Translator,
    ) -> None:
        self._exchange = exchange
        self._description = description
        self._asking = OrderAsking(exchange=exchange, calls=calls, translator=translator)
        self._fills = FillsReading(
            exchange=exchange, description=description, calls=calls, translator=translator
        )

    async def look_up(self, order: BookOrder, *, now: datetime) -> Lookup:
        """Climb until the order is found, a rung does not answer, or all have answered."""
        try:
            self._refuse_unknown_market(order)
            rungs: list[str] = []
            order = self._with_possible_ids(order, rungs)
            found = await self._found_at(order, rungs) or await self._trigger_at(order, rungs)
            if found is not None:
                return found
            fills = await self._fills.read(order, now=now)
        except VenueCallError as error:
            return Unanswered(failure=error.failure)
        return NotFound(rungs=(*rungs, *fills.rungs), fills=fills.fills)

    def _refuse_unknown_market(self, order: BookOrder) -> None:
        known = order.symbol in (self._exchange.markets or {})
        if not known and self._description.lists_all_markets:
            detail = f"symbol {order.symbol} is not a market of {self._exchange.id}"
            raise refused_locally(AnswerKind.UNSUPPORTED, CallName.ORDER, detail)

    def _with_possible_ids(self, order: BookOrder, rungs: list[str]) -> BookOrder:
        """Return the order without ids that this venue cannot have given or taken.

        Asking by one is an error at the venue for ever, not an answer. A client order id in the
        wrong column is asked for as what it is.
        """
        order_id, client_order_id = order.venue_order_id, order.client_order_id
        if not _fits(client_order_id, self._description.client_order_id_form):
            rungs.append(f"{BY_CLIENT_ID}: {self._exchange.id} takes no such id")
            client_order_id = None
        if not _fits(order_id, self._description.order_id_form):
            rungs.append(f"{BY_ID}: {self._exchange.id} gives no such id")
            if not client_order_id and _fits(order_id, self._description.client_order_id_form):
                client_order_id = ClientOrderId(str(order_id))
            order_id = None
        return replace(order, venue_order_id=order_id, client_order_id=client_order_id)

    async def _found_at(self, order: BookOrder, rungs: list[str]) -> Found | None:
        """Ask where regular orders are kept."""
        by_id, by_client_id = self._calls_of(order), self._calls_of(order, by_client_id=True)
        if (order.venue_order_id or order.client_order_id) and not (
            (order.venue_order_id and by_id) or (order.client_order_id and by_client_id)
        ):
            # Absence from a listing is not enough.
            detail = f"ccxt cannot ask {self._exchange.id} for an order by the ids that the row has"
            raise refused_locally(AnswerKind.UNSUPPORTED, CallName.ORDER, detail)
        if order.venue_order_id and by_id:
            found = await self._ask(by_id, order, order.venue_order_id)
            if found is not None:
                return await self._unless_replaced(found, order, by_client_id)
            rungs.append(BY_ID)
        if order.client_order_id and by_client_id:
            found = await self._ask(by_client_id, order, order.client_order_id)
            if found is not None:
                found = await self._newest(found, order)
            asked_by_id = bool(order.venue_order_id and by_id)
            if found is not None and not (asked_by_id and _is_earlier_half(found, order)):
                return Found(order=found, by=BY_CLIENT_ID)
            earlier = "" if found is None else f": only an earlier order, {found.venue_order_id}"
            rungs.append(BY_CLIENT_ID + earlier)
        elif order.client_order_id:
            rungs.append(f"{BY_CLIENT_ID}: ccxt cannot ask {self._exchange.id} by it")
        return None

    def _calls_of(
        self, order: BookOrder, *, by_client_id: bool = False, trigger: bool = False
    ) -> tuple[LookupCall, ...]:
        place = place_of((self._exchange.markets or {}).get(order.symbol))
        return self._description.lookups_of(place, by_client_order_id=by_client_id, trigger=trigger)

    async def _trigger_at(self, order: BookOrder, rungs: list[str]) -> Found | None:
        """Ask where trigger orders are kept, if the order may be one."""
        triggering = triggering_of(order)
        questions = (
            (self._calls_of(order, trigger=True), order.venue_order_id, BY_ID),
            (
                self._calls_of(order, by_client_id=True, trigger=True),
                order.client_order_id,
                BY_CLIENT_ID,
            ),
        )
        if triggering is Triggering.NO:
            return None
        if triggering is Triggering.YES:
            self._refuse_unaskable_trigger(questions)
        for calls, asked, by in questions:
            if not calls or not asked:
                continue
            try:
                found = await self._ask(calls, order, asked)
            except VenueCallError as error:
                if triggering is Triggering.UNKNOWN and error.no_such_call:
                    rungs.append("trigger: not offered by this host")
                    return None
                raise
            if found is not None:
                return await self._followed(found, order, by)
            rungs.append(f"trigger {by}")
        return None

    def _refuse_unaskable_trigger(
        self, questions: Sequence[tuple[tuple[LookupCall, ...], str | None, str]]
    ) -> None:
        """Refuse a trigger order whose end nobody can be asked about, where such are kept apart."""
        asked = any(asked for _, asked, _ in questions)
        askable = any(calls and asked for calls, asked, _ in questions)
        apart = ScopeName.TRIGGER_ORDERS in self._description.scopes()
        if apart and asked and not askable and self._description.is_described:
            detail = f"{self._exchange.id} cannot be asked for a trigger order by the row's ids"
            raise refused_locally(AnswerKind.UNSUPPORTED, CallName.ORDER, detail)

    async def _followed(self, parent: VenueOrder, order: BookOrder, by: str) -> Found:
        """Follow a stop that was triggered to the order that tells how it ended."""
        lookups = self._calls_of(order)
        if not parent.successor_ids or not lookups:
            if by == BY_ID:
                by_client_id = self._calls_of(order, by_client_id=True, trigger=True)
                return await self._unless_replaced(parent, order, by_client_id)
            return Found(order=parent, by=by)
        child = await self._ask(lookups, order, parent.successor_ids[-1])
        return Found(order=child, by=BY_ID) if child else Found(order=parent, by=by)

    async def _unless_replaced(
        self, found: VenueOrder, order: BookOrder, by_client_id: tuple[LookupCall, ...]
    ) -> Found:
        """Ask for a successor: a cancelled earlier venue id is not a cancelled client order."""
        if found.successor_ids and not found.is_trigger:
            return Found(order=await self._newest(found, order), by=BY_ID)
        ended = found.state in _ENDED_UNFILLED
        if ended and order.client_order_id and by_client_id:
            current = await self._ask(by_client_id, order, order.client_order_id)
            if current is not None and current.venue_order_id != found.venue_order_id:
                _refuse_lost_fills([found], current)
                return Found(order=current, by=BY_CLIENT_ID)
        return Found(order=found, by=BY_ID)

    async def _newest(self, found: VenueOrder, order: BookOrder) -> VenueOrder:
        """Follow a chain of replacements to the order that stands now.

        Raises:
            VenueCallError: it cannot be followed to its end, or its end does not tell all fills.

        """
        by_id = self._calls_of(order)
        chain: list[VenueOrder] = []
        while found.successor_ids and by_id:
            chain.append(found)
            asked = found.successor_ids[-1]
            if len(chain) > MOST_REPLACEMENTS:
                raise _no_answer(f"replaced more than {MOST_REPLACEMENTS} times")
            if asked in {earlier.venue_order_id for earlier in chain}:
                raise _no_answer(f"replaced in a circle, by {asked}")
            successor = await self._ask(by_id, order, asked)
            if successor is None:
                raise _no_answer(f"replaced by {asked}, which the venue does not know")
            found = successor
        _refuse_lost_fills(chain, found)
        return found

    async def _ask(
        self, calls: tuple[LookupCall, ...], order: BookOrder, asked: str
    ) -> VenueOrder | None:
        """Return the first answer that shows the order; None where all say that they know none."""
        for call in calls:
            found = await self._asking.ask(call, order, asked)
            if found is not None:
                return found
        return None


def _is_earlier_half(found: VenueOrder, order: BookOrder) -> bool:
    """Tell whether an order found by client id says nothing about the row's own venue order.

    The venue does not know the row's venue order id. An order that ended without being filled, and
    that is not younger than the bot's last word, may be the cancelled half of a cancel-replace.
    """
    if found.venue_order_id == order.venue_order_id or found.state is OrderState.FILLED:
        return False
    if not found.state.is_terminal:
        return False
    return found.created_at is None or found.created_at <= order.updated_at


def _refuse_lost_fills(earlier: Sequence[VenueOrder], found: VenueOrder) -> None:
    """Refuse an end that tells less filled than an order before it: the sum is not known."""
    most = max((order.filled for order in earlier), default=found.filled)
    if most > found.filled:
        detail = (
            f"{most} was filled before {found.venue_order_id} took its place, "
            f"which tells of {found.filled}"
        )
        raise _no_answer(detail)


def _no_answer(detail: str) -> VenueCallError:
    return refused_locally(AnswerKind.NO_ANSWER, CallName.ORDER, detail)


def _fits(order_id: str | None, form: str | None) -> bool:
    return order_id is None or form is None or re.fullmatch(form, order_id) is not None
