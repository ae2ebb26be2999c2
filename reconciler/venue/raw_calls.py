"""Asking an endpoint of a venue as it is, through ccxt's signing and rate budget."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from reconciler.venue.connection import Exchange

Asking = Callable[[Mapping[str, Any]], Awaitable[Any]]


def asking(exchange: Exchange, method: str) -> Asking:
    """Return the call of an endpoint.

    `method` is ccxt's implicit one, or `GET trader/private v2/orders` where ccxt has none.
    """
    if " " not in method:
        implicit: Asking = getattr(exchange, method)
        return implicit
    verb, access, path = method.split(" ")
    api = access.split("/")

    async def ask(params: Mapping[str, Any]) -> Any:
        return await exchange.request(path, api if len(api) > 1 else api[0], verb, dict(params))

    return ask


def account_params(exchange: Exchange, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters that say whose account is meant."""
    return {param: getattr(exchange, attribute) for param, attribute in names.items()}
