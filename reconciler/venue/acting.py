"""The only place that writes at a venue: cancels an order, or makes a position smaller.

Never imported by what runs by itself (a contract in `pyproject.toml`): only a person's command gets
here. One request, never repeated: an answer that does not come leaves it ambiguous, and reading
decides (`incidents.closing`, `incidents.cancelling`).
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from reconciler.domain.acting import (
    Accepted,
    Ambiguous,
    CannotActError,
    Declined,
    ReducingOrder,
    Sending,
    VenueRequest,
)
from reconciler.domain.identity import AccountName, ClientOrderId, VenueOrderId
from reconciler.domain.orders import VenueOrder
from reconciler.domain.snapshot import AnswerKind
from reconciler.venue.account import CcxtAccount
from reconciler.venue.account_reader import AccountReader
from reconciler.venue.classify import VenueCallError
from reconciler.venue.connection import Exchange
from reconciler.venue.description import CallName, MarketKind
from reconciler.venue.markets import kind_of
from reconciler.venue.reduce_only import ORDER_WORDS, OrderWords, params_of, why_not_proven
from reconciler.venue.unsent import unsent

SEND_WITHIN = timedelta(seconds=15)
"""Waiting for the rate budget included; `incidents.intents.UNDER_WAY` is well above it."""
OWN_PREFIX = "rcl"
NOTHING_DONE = frozenset(
    {
        "AuthenticationError",
        "AccountSuspended",
        "InsufficientFunds",
        "InvalidOrder",
        "BadRequest",
        "BadSymbol",
        "ArgumentsRequired",
        "NotSupported",
        "OperationRejected",
        "InvalidNonce",
        "RateLimitExceeded",
        "DDoSProtection",
    }
)
"""ccxt's classes by which a venue says that it did nothing. All others leave it open."""
READ_FIRST: Mapping[CallName, frozenset[str]] = {
    CallName.PLACE: frozenset({"OrderNotFound", "DuplicateOrderId"}),
    CallName.CANCEL: frozenset({"InvalidOrder"}),
}
"""Of those, what leaves it open all the same: an order that cannot be cancelled may have filled."""


class CcxtActing:
    """Writes to one account through an unmodified ccxt class."""

    def __init__(self, account: CcxtAccount) -> None:
        """`account` is the one that reads: same connection, same budget."""
        self._account = account

    @property
    def account(self) -> AccountName:
        """The account's name in the configuration."""
        return self._account.account

    async def client_order_id(self, token: str) -> ClientOrderId:
        """Return the id of ours that a token makes at this venue. `token`: letters and digits.

        Raises:
            CannotActError: the venue takes no such id, and a command could not find its own order.

        """
        form = (await self._ready()).description.client_order_id_form
        for made in (f"{OWN_PREFIX}-{token}", f"{OWN_PREFIX}{token}"):
            if form is None or re.fullmatch(form, made):
                return ClientOrderId(made)
        raise CannotActError("the venue takes no client order id of ours")

    async def preview_close(self, order: ReducingOrder) -> VenueRequest:
        """Return the request that `close` sends, proven to be reduce-only. Nothing is sent.

        Raises:
            CannotActError: it cannot be proven for this venue or market.
            VenueUnavailableError: the markets are not known.

        """
        reader = await self._ready()
        words = _words_of(reader, order)
        contracts = _contracts_of(reader, order)
        request = await _written(reader.exchange, lambda e: _place(e, words, order, contracts))
        market = reader.exchange.markets[order.symbol]
        why = why_not_proven(
            words,
            request.params,
            expected={
                "symbol": str(market["id"]),
                "side": order.side.value,
                "client_order_id": order.client_order_id,
            },
            leg=order.position_side.value if order.leg else None,
        )
        sent = request.params.get(words.qty)
        if why is None and (sent is None or Decimal(sent) != contracts):
            why = f"{words.qty} is {sent!r} in the request, not {contracts:f}"
        if why is not None:
            raise CannotActError(f"ccxt does not write the order as it must be: {why}")
        return request

    async def close(self, order: ReducingOrder) -> Sending:
        """Send it, once. Raises as `preview_close`, which is asked first: then nothing was sent."""
        await self.preview_close(order)
        reader = await self._ready()
        words, contracts = _words_of(reader, order), _contracts_of(reader, order)
        return await _sent(
            reader, CallName.PLACE, lambda: _place(reader.exchange, words, order, contracts)
        )

    async def preview_cancel(self, order: VenueOrder) -> VenueRequest:
        """Return the request that `cancel` sends. Nothing is sent.

        Raises:
            CannotActError: ccxt cannot cancel at this venue.
            VenueUnavailableError: the markets are not known.

        """
        reader = await self._ready()
        return await _written(reader.exchange, lambda e: _cancel(e, order))

    async def cancel(self, order: VenueOrder) -> Sending:
        """Send it, once. Raises VenueUnavailableError before anything is sent."""
        reader = await self._ready()
        return await _sent(reader, CallName.CANCEL, lambda: _cancel(reader.exchange, order))

    async def _ready(self) -> AccountReader:
        await self._account.prepare()
        return await self._account.connect()


def _words_of(reader: AccountReader, order: ReducingOrder) -> OrderWords:
    venue = reader.description.venue
    words = ORDER_WORDS.get(venue)
    market = (reader.exchange.markets or {}).get(order.symbol)
    if words is None:
        raise CannotActError(
            f"it is not proven how {venue} is told that an order only reduces; close it there"
        )
    if kind_of(market) is not MarketKind.LINEAR:
        kind = kind_of(market) or "unknown"
        raise CannotActError(f"{order.symbol} is a {kind} market: only linear contracts are closed")
    if order.leg and words.leg is None:
        raise CannotActError(f"legs of hedge mode are not closed at {venue}")
    return words


def _contracts_of(reader: AccountReader, order: ReducingOrder) -> Decimal:
    contracts = order.qty / reader.translator.size_of(order.symbol)
    if contracts <= 0:
        raise CannotActError("there is nothing to send")
    return contracts


async def _place(
    exchange: Exchange, words: OrderWords, order: ReducingOrder, contracts: Decimal
) -> Any:
    leg = order.position_side.value if order.leg else None
    params = {**params_of(words, leg=leg), "clientOrderId": order.client_order_id}
    return await exchange.create_order(
        order.symbol, "market", order.side.value, f"{contracts:f}", None, params
    )


async def _cancel(exchange: Exchange, order: VenueOrder) -> Any:
    params = {"trigger": True} if order.is_trigger else {}
    return await exchange.cancel_order(order.venue_order_id, order.symbol, params)


async def _written(exchange: Exchange, call: Callable[[Exchange], Awaitable[Any]]) -> VenueRequest:
    try:
        return await unsent(exchange, call)
    except Exception as error:  # ccxt's own refusal, or a market that it cannot write an order for
        raise CannotActError(f"ccxt does not write it: {type(error).__name__}: {error}") from error


async def _sent(
    reader: AccountReader, call: CallName, request: Callable[[], Awaitable[Any]]
) -> Sending:
    try:
        async with reader.calls.within(SEND_WITHIN, call):
            answer, _ = await reader.calls.make(call, request)
    except VenueCallError as error:
        return _of_failure(error, call)
    told = answer.get("id") if isinstance(answer, dict) else None
    return Accepted(venue_order_id=VenueOrderId(str(told)) if told else None)


def _of_failure(error: VenueCallError, call: CallName) -> Declined | Ambiguous:
    failure, cause = error.failure, error.__cause__
    if failure.kind is AnswerKind.AUTH:
        return Declined(why=f"the key may not trade ({failure.detail})")
    if failure.kind is AnswerKind.THROTTLED and not _is_of_ccxt(cause):
        return Declined(why=failure.detail)  # not asked: the venue wants silence
    names = {cls.__name__ for cls in type(cause).__mro__} if _is_of_ccxt(cause) else set()
    is_there_already = "duplicat" in str(cause).lower()
    if names & NOTHING_DONE and not names & READ_FIRST[call] and not is_there_already:
        return Declined(why=failure.detail)
    return Ambiguous(why=failure.detail)


def _is_of_ccxt(error: BaseException | None) -> bool:
    return type(error).__module__.partition(".")[0] == "ccxt"
