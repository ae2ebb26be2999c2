"""Any other ccxt venue: only what its `has` and `features` prove.

What they do not prove is named, and makes the scope partial: nothing is concluded from absence.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import (
    FillsCall,
    ListingCall,
    LookupCall,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

USUAL_PAGES = frozenset({10, 20, 25, 30, 40, 50, 100, 200, 250, 500, 1000})
"""Row counts that look like a full first page."""


def generic_description(exchange: Any) -> VenueDescription:
    """Return what an unmodified ccxt instance claims about itself."""
    has: Mapping[str, Any] = exchange.has
    features = _features(exchange)
    listings: list[ListingCall] = []
    gaps: dict[ScopeName, str] = {}
    if has.get("fetchOpenOrders") is True:
        listings.append(_listing(ScopeName.OPEN_ORDERS, "fetch_open_orders", features))
    reason = _why_orders_may_be_missing(exchange, features)
    if reason:
        gaps[ScopeName.OPEN_ORDERS] = reason
    if _says(features, "fetchOpenOrders", "trigger"):
        listings.append(_trigger_listing(features))
        gaps[ScopeName.TRIGGER_ORDERS] = "one call may not list every kind of trigger order"
    elif _may_have_trigger_orders(features):
        gaps[ScopeName.TRIGGER_ORDERS] = "ccxt does not say how this venue lists trigger orders"
    not_covered = ["balances"]
    if has.get("fetchPositions") is True and _derivatives(exchange):
        listings.append(
            ListingCall(
                scope=ScopeName.POSITIONS, method="fetch_positions", looks_full_at=USUAL_PAGES
            )
        )
        if len(_market_types(exchange)) > 1:
            gaps[ScopeName.POSITIONS] = "other market types or settle currencies may hold more"
    else:
        not_covered.append("positions: ccxt has no call for them at this venue")
    triggers = _says(features, "fetchOrder", "trigger")
    return VenueDescription(
        venue=exchange.id,
        listings=tuple(listings),
        # ccxt says nowhere whether a client order id is honoured or silently ignored.
        lookups=_lookups(has, triggers=triggers),
        fills=(_fills(features),) if has.get("fetchMyTrades") is True else (),
        retention=retention_of(exchange.id),
        is_described=False,
        gaps=gaps,
        not_covered=(*not_covered, *(f"{name}: {why}" for name, why in gaps.items())),
    )


def _listing(scope: ScopeName, method: str, features: Mapping[str, Any]) -> ListingCall:
    limit = _limit(features, "fetchOpenOrders")
    full = USUAL_PAGES | ({limit} if limit else frozenset())
    return ListingCall(scope=scope, method=method, looks_full_at=full)


def _trigger_listing(features: Mapping[str, Any]) -> ListingCall:
    limit = _limit(features, "fetchOpenOrders")
    return ListingCall(
        scope=ScopeName.TRIGGER_ORDERS,
        method="fetch_open_orders",
        params={"trigger": True},
        looks_full_at=USUAL_PAGES | ({limit} if limit else frozenset()),
    )


def _lookups(has: Mapping[str, Any], *, triggers: bool) -> tuple[LookupCall, ...]:
    regular = (LookupCall(),) if has.get("fetchOrder") is True else ()
    return (*regular, *((LookupCall(trigger=True, params={"trigger": True}),) if triggers else ()))


def _fills(features: Mapping[str, Any]) -> FillsCall:
    claim = _claim(features, "fetchMyTrades")
    until_days, days_back = claim.get("untilDays"), claim.get("daysBack")
    return FillsCall(
        window=timedelta(days=until_days) if until_days else None,
        page=claim.get("limit") or 100,
        kept=timedelta(days=days_back) if days_back else None,
        looks_full_at=USUAL_PAGES,
    )


def _why_orders_may_be_missing(exchange: Any, features: Mapping[str, Any]) -> str | None:
    if exchange.has.get("fetchOpenOrders") is not True:
        return "ccxt has no call that lists open orders at this venue"
    if len(_market_types(exchange)) > 1:
        return "one call may list only one of this venue's market types"
    if not features:
        return "ccxt does not describe what the listing covers"
    if _says(features, "fetchOpenOrders", "symbolRequired"):
        return "the listing wants a symbol"
    return None


def _market_types(exchange: Any) -> list[str]:
    return [name for name in ("spot", "swap", "future", "option") if exchange.has.get(name) is True]


def _derivatives(exchange: Any) -> bool:
    return bool(set(_market_types(exchange)) & {"swap", "future", "option"})


def _features(exchange: Any) -> Mapping[str, Any]:
    """Return ccxt's claims about the one market type that it reads by default."""
    described = getattr(exchange, "features", None) or {}
    default = exchange.options.get("defaultType") or "spot"
    found = described.get(default) or {}
    if "fetchOpenOrders" in found:
        return dict(found)
    claims = [found[sub] for sub in ("linear", "inverse") if found.get(sub)]
    return dict(claims[0]) if claims else {}


def _claim(features: Mapping[str, Any], call: str) -> Mapping[str, Any]:
    claim = features.get(call)
    return claim if isinstance(claim, Mapping) else {}


def _says(features: Mapping[str, Any], call: str, claim: str) -> bool:
    return _claim(features, call).get(claim) is True


def _limit(features: Mapping[str, Any], call: str) -> int | None:
    limit = _claim(features, call).get("limit")
    return int(limit) if limit else None


def _may_have_trigger_orders(features: Mapping[str, Any]) -> bool:
    creating = _claim(features, "createOrder")
    words = ("triggerPrice", "stopLossPrice", "takeProfitPrice", "trailing")
    return not creating or any(creating.get(word) for word in words)
