"""What an unmodified ccxt would send: its request, written by a twin that sends nothing."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from reconciler.domain.acting import VenueRequest
from reconciler.venue.connection import CREDENTIALS, Exchange, ccxt_module

NOT_SHOWN = frozenset({"timestamp", "recvWindow", "signature", "nonce"})
"""Of the request's own transport, and different each time."""
NO_KEY = "bm90IGEga2V5"
"""In place of each credential: base64, since Kraken's is decoded before it signs."""


class _WrittenError(BaseException):
    """Ends a call where it would be sent; no `except Exception` on the way may keep it."""


async def unsent(exchange: Exchange, call: Callable[[Exchange], Awaitable[Any]]) -> VenueRequest:
    """Return the first request that a call of this exchange would make. Nothing is sent.

    Raises:
        LookupError: it makes none.
        ccxt's errors, where ccxt itself refuses the call.

    """
    written: list[VenueRequest] = []

    async def no_wait(_cost: float | None = None) -> None:
        return None

    async def write(url: str, method: str = "GET", _headers: Any = None, body: Any = None) -> None:
        written.append(
            VenueRequest(method=method, path=urlsplit(url).path, params=_said(url, body))
        )
        raise _WrittenError

    # Neither key, session nor socket: it could not send if it wanted to.
    twin = getattr(ccxt_module(), exchange.id)(
        {**dict.fromkeys(CREDENTIALS, NO_KEY), "number": str, "session": None}
    )
    twin.options = {**exchange.options}
    twin.urls = exchange.urls
    twin.set_markets_from_exchange(exchange)
    twin.throttler, twin.fetch = no_wait, write
    try:
        await call(twin)
    except _WrittenError:
        return written[0]
    finally:
        twin.session = None
    raise LookupError("the call makes no request")


def _said(url: str, body: Any) -> Mapping[str, str]:
    """Return every field of query and body as text; of a list, its only member."""
    fields: dict[str, Any] = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    text = body.decode() if isinstance(body, bytes) else str(body or "")
    if text[:1] in {"{", "["}:
        document = json.loads(text)
        if isinstance(document, list):
            document = document[0] if len(document) == 1 else {}
        fields |= document
    else:
        fields |= dict(parse_qsl(text, keep_blank_values=True))
    return {name: _text(value) for name, value in fields.items() if name not in NOT_SHOWN}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
