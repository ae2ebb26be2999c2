"""How each venue is told that an order may only reduce a position: as data, proven on the wire.

ccxt takes `reduceOnly` at every venue, and drops it at some. So nothing is sent that was not first
written by an unmodified ccxt that sends nothing: what it wrote must say all that is named here.
A venue that is not named here is refused.

Sources: developers.binance.com …/usds-margined-futures/trade/rest-api/New-Order (reduceOnly "cannot
be sent in Hedge Mode"; an order for a leg against its side cannot open one);
bybit-exchange.github.io/docs/v5/order/create-order (positionIdx 1 and 2 are the legs, reduceOnly
holds in both modes); www.okx.com/docs-v5 "Place order" (reduceOnly in net mode; in long/short mode
posSide names the leg, and an order against it can only close); docs.kraken.com/api
…/futures-api/trading/send-order (reduceOnly; there are no legs).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWords:
    """The fields and words of one venue's market order, in its own request."""

    symbol: str
    qty: str
    client_order_id: str
    kind: tuple[str, str]
    """The field of the order's type, and the word for a market order."""
    reduce_only: tuple[str, str]
    """The field and the word that make it reduce-only."""
    side: str = "side"
    leg: str | None = None
    """The field that names the leg of hedge mode; None: legs are not closed here."""
    legs: Mapping[str, str] = field(default_factory=dict)
    """The venue's words for `long` and `short`."""
    leg_is_enough: bool = False
    """In hedge mode the leg itself keeps an order from opening, and the flag is refused."""


ORDER_WORDS: Mapping[str, OrderWords] = {
    "binanceusdm": OrderWords(
        symbol="symbol",
        qty="quantity",
        client_order_id="newClientOrderId",
        kind=("type", "MARKET"),
        reduce_only=("reduceOnly", "true"),
        leg="positionSide",
        legs={"long": "LONG", "short": "SHORT"},
        leg_is_enough=True,
    ),
    "bybit": OrderWords(
        symbol="symbol",
        qty="qty",
        client_order_id="orderLinkId",
        kind=("orderType", "Market"),
        reduce_only=("reduceOnly", "true"),
        leg="positionIdx",
        legs={"long": "1", "short": "2"},
    ),
    "okx": OrderWords(
        symbol="instId",
        qty="sz",
        client_order_id="clOrdId",
        kind=("ordType", "market"),
        reduce_only=("reduceOnly", "true"),
        leg="posSide",
        legs={"long": "long", "short": "short"},
        leg_is_enough=True,
    ),
    "krakenfutures": OrderWords(
        symbol="symbol",
        qty="size",
        client_order_id="cliOrdId",
        kind=("orderType", "mkt"),
        reduce_only=("reduceOnly", "true"),
    ),
}


def params_of(words: OrderWords, *, leg: str | None) -> dict[str, Any]:
    """Return what ccxt is given besides symbol, type, side and quantity."""
    if leg is None:
        return {"reduceOnly": True}
    assert words.leg is not None
    named: dict[str, Any] = {words.leg: words.legs[leg]}
    return named if words.leg_is_enough else {**named, "reduceOnly": True}


def why_not_proven(
    words: OrderWords,
    said: Mapping[str, str],
    *,
    expected: Mapping[str, str],
    leg: str | None,
) -> str | None:
    """Return what the written request lacks, None where it says all of it.

    `expected`: what its fields must say besides, by our names `symbol`, `side`, `client_order_id`.
    """
    wanted = {
        words.symbol: expected["symbol"],
        words.side: expected["side"],
        words.client_order_id: expected["client_order_id"],
        words.kind[0]: words.kind[1],
    }
    if leg is not None:
        assert words.leg is not None
        wanted[words.leg] = words.legs[leg]
    if leg is None or not words.leg_is_enough:
        wanted[words.reduce_only[0]] = words.reduce_only[1]
    for name, word in wanted.items():
        if said.get(name, "").lower() != word.lower():
            return f"{name} is {said.get(name)!r} in the request, not {word!r}"
    return None
