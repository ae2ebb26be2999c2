"""From the settings of a book to its driver."""

import ipaddress
from typing import TypeVar
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr

from reconciler.book.preset import Preset
from reconciler.deactivation.freqtrade_pairlock import FreqtradePairlock
from reconciler.deactivation.freqtrade_rest import FreqtradeRest
from reconciler.deactivation.webhook import AskedBack, StatusInBook, Webhook
from reconciler.domain.book import INACTIVE_WORDS
from reconciler.domain.identity import BookName
from reconciler.ports import DeactivationDriver
from reconciler.settings.books import BookSettings
from reconciler.settings.deactivation import DeactivationSettings
from reconciler.store.connecting import Pool

log = structlog.get_logger("reconciler.deactivation")

T = TypeVar("T")


def driver_of(
    book: BookName, settings: BookSettings, pool: Pool, preset: Preset
) -> DeactivationDriver | None:
    """The driver that the settings name, else the preset's; None: the book's own UPDATE.

    `pool`: of the book's database. Opens no connection.
    """
    given = settings.deactivation
    if given is None and preset.deactivation is not None:
        given = DeactivationSettings.model_validate({"driver": preset.deactivation})
    if given is None:
        return None
    for why in why_doubtful(given):
        log.warning(f"[Reconcile] {why}", book=book)
    match given.driver:
        case "sql":
            return None
        case "freqtrade_rest":
            return FreqtradeRest(
                _set(given.url), username=_set(given.username), password=_revealed(given.password)
            )
        case "freqtrade_pairlock":
            return FreqtradePairlock(
                pool,
                address=f"book {book}",
                table=preset.pairlocks,
                pairs=given.pairs,
                lock_for=given.lock_for,
                timezone=preset.timezone,
            )
        case "webhook":
            return _webhook(given, pool, preset)


def why_doubtful(given: DeactivationSettings) -> tuple[str, ...]:
    """What a person should know of these settings; each one sentence, without a secret."""
    return tuple(
        f"deactivation.{key} is plain http to another host: "
        + ("the login can be read" if given.driver == "freqtrade_rest" else "it can be read")
        + " on the way, use https or a network of its own"
        for key, url in (("url", given.url), ("confirm_url", given.confirm_url))
        if url is not None and urlsplit(url).scheme == "http" and not _is_here(url)
    )


def _webhook(given: DeactivationSettings, pool: Pool, preset: Preset) -> Webhook:
    secret = _revealed(given.secret)
    inactive = given.inactive_statuses or INACTIVE_WORDS
    return Webhook(
        _set(given.url),
        secret=secret,
        read_back=StatusInBook(pool, profiles_select=preset.profiles_select, inactive=inactive)
        if given.confirm_url is None
        else AskedBack(given.confirm_url, secret=secret, inactive=inactive),
    )


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _set(value: T | None) -> T:
    # The settings hold what their driver needs, or are refused.
    assert value is not None
    return value


def _revealed(secret: SecretStr | None) -> str:
    return _set(secret).get_secret_value()
