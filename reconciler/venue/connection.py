"""Building an unmodified ccxt exchange for one account, and saying what its configuration lacks."""

import difflib
import importlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from reconciler.domain.errors import VenueMisconfiguredError
from reconciler.domain.identity import AccountName
from reconciler.venue.answer_guard import AnswerGuard, parsed_once
from reconciler.venue.description import VenueDescription
from reconciler.venue.descriptions import description_of

Exchange = Any
"""An instance of a ccxt.async_support class: ccxt is loaded with the first account, not before."""

CREDENTIALS = {
    "apiKey": "api_key",
    "secret": "secret",
    "password": "password",
    "uid": "uid",
    "walletAddress": "wallet_address",
}
"""ccxt's names of credentials, and ours."""

NEEDED_ONLY_TO_TRADE = frozenset({"privateKey"})
"""Never given to the daemon: with one, ccxt itself signs and posts when it loads markets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConnection:
    """How one account is reached: one set of read-only credentials at one venue."""

    name: AccountName
    venue: str
    """A ccxt id."""
    api_key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    uid: str | None = field(default=None, repr=False)
    wallet_address: str | None = field(default=None, repr=False)
    base_url: str | None = None
    """Another host that speaks the venue's API."""
    sandbox: bool = False
    symbols: tuple[str, ...] = ()
    """Allow-list in any spelling; empty: all."""
    timeout: timedelta = timedelta(seconds=10)
    """Of one HTTP request; waiting for the rate budget does not count."""
    scope_deadline: timedelta = timedelta(minutes=2)
    """Of all that one scope or one lookup needs, waiting included."""
    rate_share: float = 0.5
    """Of the venue's request budget; the bot needs the rest."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """More ccxt options, over the description's."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must never be shown."""
        found = (self.api_key, self.secret, self.password, self.uid, self.wallet_address)
        return tuple(value for value in found if value)


def ccxt_module() -> Any:
    """Import ccxt (half a second, 90 MiB) and keep its signed URLs out of everybody's debug log."""
    module = importlib.import_module("ccxt.async_support")
    logging.getLogger("ccxt").setLevel(logging.WARNING)
    return module


def build_exchange(connection: AccountConnection) -> tuple[Exchange, VenueDescription]:
    """Return the guarded exchange of one account, without any request, and its description.

    Raises:
        VenueMisconfiguredError: ccxt knows no such venue, or a credential is missing.

    """
    ccxt = ccxt_module()
    if connection.venue not in ccxt.exchanges:
        raise VenueMisconfiguredError(_unknown_venue(connection, ccxt.exchanges))
    refused = sorted(NEEDED_ONLY_TO_TRADE & set(connection.options))
    if refused:
        raise VenueMisconfiguredError(
            f"accounts.{connection.name}.options: {refused[0]} is refused: the daemon only reads"
        )
    exchange = getattr(ccxt, connection.venue)(_config(connection))
    _check_credentials(connection, exchange)
    if connection.sandbox:
        _enter_sandbox(connection, exchange, ccxt)
    if connection.base_url:
        exchange.urls["api"] = _moved(exchange.urls["api"], connection.base_url.rstrip("/"))
    # Wallet endpoints, which a read-only key may not have, for names we do not need.
    exchange.has["fetchCurrencies"] = False
    exchange.enableLastHttpResponse = False
    exchange.enableLastResponseHeaders = False
    exchange.timeout_on_exit = 0
    description = description_of(exchange)
    for name, value in {**description.options, **connection.options}.items():
        kept = exchange.options.get(name)
        merged = {**kept, **value} if isinstance(kept, dict) and isinstance(value, dict) else value
        exchange.options[name] = merged
    exchange.on_rest_response = AnswerGuard(exchange, description, ccxt.BadResponse)
    exchange.on_json_response = parsed_once(exchange.on_json_response)
    return exchange, description


def _config(connection: AccountConnection) -> dict[str, Any]:
    credentials = {theirs: getattr(connection, ours) for theirs, ours in CREDENTIALS.items()}
    return {
        **{name: value for name, value in credentials.items() if value is not None},
        # Exact, as Decimal would be, in which some of ccxt's parsers find no number when they read
        # their own again: Alpaca's orders had neither quantity nor fills.
        "number": str,
        "timeout": int(connection.timeout.total_seconds() * 1000),
        "enableRateLimit": True,
        "session": None,
    }


def _unknown_venue(connection: AccountConnection, known: list[str]) -> str:
    close = difflib.get_close_matches(connection.venue.lower(), known, n=3, cutoff=0.5)
    mend = f"; closest: {', '.join(close)}" if close else "; see the ids of ccxt's exchanges"
    return f"accounts.{connection.name}.venue: ccxt has no venue {connection.venue!r}{mend}"


def _check_credentials(connection: AccountConnection, exchange: Exchange) -> None:
    for name in NEEDED_ONLY_TO_TRADE:
        exchange.requiredCredentials[name] = False
    missing = [
        name
        for name, required in exchange.requiredCredentials.items()
        if required and not getattr(exchange, name, None)
    ]
    if not missing:
        return
    keys = [CREDENTIALS.get(name) for name in missing]
    if None in keys:
        unknown = missing[keys.index(None)]
        raise VenueMisconfiguredError(
            f"accounts.{connection.name}: {connection.venue} wants {unknown!r}, "
            "which the daemon does not take"
        )
    raise VenueMisconfiguredError(
        f"accounts.{connection.name}: {connection.venue} needs {', '.join(map(str, keys))}; "
        f"set RECONCILER_ACCOUNTS__{connection.name.upper()}__{str(keys[0]).upper()}"
    )


def _enter_sandbox(connection: AccountConnection, exchange: Exchange, ccxt: Any) -> None:
    try:
        exchange.set_sandbox_mode(True)
    except ccxt.NotSupported as error:
        raise VenueMisconfiguredError(
            f"accounts.{connection.name}.sandbox: {connection.venue} has no sandbox in ccxt"
        ) from error


def _moved(urls: Any, base_url: str) -> Any:
    """Return ccxt's tree of URLs with their hosts replaced; paths stay."""
    if isinstance(urls, str):
        return re.sub(r"^https?://[^/]+", lambda _: base_url, urls)
    if isinstance(urls, dict):
        return {name: _moved(value, base_url) for name, value in urls.items()}
    return urls
