"""What a steady look takes from the request budget: asked of ccxt itself, without a request.

ccxt charges its throttler before it signs and sends. A throttler that only listens, and then ends
the call, hears what each call of the description would cost.
"""

from collections.abc import Coroutine, Iterator, Mapping
from typing import Any

from reconciler.venue.connection import Exchange
from reconciler.venue.description import VenueDescription
from reconciler.venue.raw_calls import asking

USUAL_WEIGHT = 1.0
"""ccxt's own, where it names none."""


class _HeardError(BaseException):
    """Ends a call where it would be sent; no `except Exception` on the way may keep it."""


async def _nothing_to_load(*_arguments: object, **_named: object) -> None:
    """Take the place of `load_markets`: a steady look finds them loaded."""


def weights_of_look(exchange: Exchange, description: VenueDescription) -> tuple[float, ...]:
    """Return the weight of each call of a steady look, further pages not counted.

    A call that ccxt does not get as far as sending counts as one of `USUAL_WEIGHT`. `exchange` is
    one that is not in use: it is left without a throttler.
    """
    heard: list[float] = []

    async def listen(cost: float | None = None) -> None:
        heard.append(USUAL_WEIGHT if cost is None else float(cost))
        raise _HeardError

    exchange.throttler = listen
    exchange.load_markets = _nothing_to_load
    exchange.markets = {}
    weights = []
    for method, params, known in _calls_of(description):
        heard.clear()
        if known is None:
            _begin(exchange, method, params)
        weights.append(known if known is not None else next(iter(heard), USUAL_WEIGHT))
    return tuple(weights)


def _calls_of(
    description: VenueDescription,
) -> Iterator[tuple[str, Mapping[str, Any], float | None]]:
    """Yield (method, parameters, the weight where we know better) of each call."""
    mode = description.account_mode
    if mode is not None:
        yield mode.method, {}, None
    for listing in description.listings:
        if listing.each is not None:
            yield listing.each.method, listing.each.params, None
        yield listing.method, listing.params, listing.weight


def _begin(exchange: Exchange, method: str, params: Mapping[str, Any]) -> None:
    """Run a call up to where it would be sent: ccxt waits for nothing before."""
    try:
        if method.startswith("fetch_"):
            call: Coroutine[Any, Any, Any] = getattr(exchange, method)(params=dict(params))
        else:
            call = asking(exchange, method)(dict(params))  # type: ignore[assignment]
        try:
            call.send(None)
        finally:
            call.close()
    except (_HeardError, Exception):  # noqa: BLE001 - a call that cannot begin is counted as usual
        return
