"""Asking a venue after one order, by one id, at one endpoint."""

import re
from typing import Any

from reconciler.domain.identity import VenueOrderId
from reconciler.domain.orders import BookOrder, VenueOrder
from reconciler.domain.snapshot import AnswerKind
from reconciler.venue.calls import VenueCalls
from reconciler.venue.classify import VenueCallError, refused_locally
from reconciler.venue.connection import Exchange
from reconciler.venue.description import CallName, LookupCall
from reconciler.venue.markets import field_of
from reconciler.venue.raw_calls import asking
from reconciler.venue.raw_json import found_at, keyed_rows, rows_in
from reconciler.venue.translate import NotUnderstoodError
from reconciler.venue.translator import Translator


class OrderAsking:
    """Asks for orders of one account."""

    def __init__(self, *, exchange: Exchange, calls: VenueCalls, translator: Translator) -> None:
        self._exchange = exchange
        self._calls = calls
        self._translator = translator

    async def ask(
        self, call: LookupCall, order: BookOrder, asked: str | VenueOrderId
    ) -> VenueOrder | None:
        """Return the venue's order, None where the venue says that it knows none.

        Raises:
            VenueCallError: no answer, or one about another order.

        """
        if call.form is not None and not re.fullmatch(call.form, asked):
            return None
        try:
            found = await (
                self._unified(call, order, asked)
                if call.method is None
                else self._raw(call, call.method, order, asked)
            )
        except VenueCallError as error:
            if error.not_found:
                return None
            raise
        except NotUnderstoodError as error:
            raise _no_answer(f"the answer cannot be read: {error}") from error
        if found is None:
            return None
        said = found.client_order_id if call.by_client_order_id else found.venue_order_id
        if said != asked or found.symbol != order.symbol:
            raise _no_answer(
                f"asked for {asked} of {order.symbol}, answered {said} of {found.symbol}"
            )
        return found

    async def _unified(self, call: LookupCall, order: BookOrder, asked: str) -> VenueOrder | None:
        params: dict[str, Any] = dict(call.params)
        order_id = asked
        if call.by_client_order_id:
            order_id, params[call.client_order_id_param] = "", asked
        parsed, _ = await self._calls.make(
            CallName.ORDER,
            lambda: self._exchange.fetch_order(order_id, order.symbol, params),
        )
        return self._translator.order_of(parsed, is_trigger=call.trigger)

    async def _raw(
        self, call: LookupCall, method: str, order: BookOrder, asked: str
    ) -> VenueOrder | None:
        market = (self._exchange.markets or {}).get(order.symbol)
        params = {**call.params, call.id_param: [asked] if call.as_list else asked}
        for name, field in call.market_params.items():
            params[name] = field_of(market or {}, field)
        answer, _ = await self._calls.make(
            CallName.ORDER, lambda: asking(self._exchange, method)(params)
        )
        row = _row_of(answer, call)
        if row is None:
            return None
        return self._translator.order_of_row(
            row, is_trigger=call.trigger, market=market, ids=call.ids
        )


def _row_of(answer: Any, call: LookupCall) -> Any:
    """Return the one row of an answer, None where its list is empty.

    Raises:
        VenueCallError: there is neither an order nor an empty list where it belongs.

    """
    if call.keyed_as is not None:
        rows: Any = keyed_rows(answer, call.order_at, keyed_as=call.keyed_as)
    else:
        rows = found_at(answer, call.order_at)
        if rows is None:
            rows = rows_in(answer, call.order_at, null_is_none=call.null_is_none)
    if isinstance(rows, dict):
        return rows
    if not isinstance(rows, list):
        raise _no_answer("no order where one belongs")
    if len(rows) > 1:
        raise _no_answer(f"{len(rows)} orders by one id")
    return rows[0] if rows else None


def _no_answer(detail: str) -> VenueCallError:
    return refused_locally(AnswerKind.NO_ANSWER, CallName.ORDER, detail)
