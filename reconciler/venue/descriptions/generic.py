"""Any other ccxt venue: only what its `has` and `features` prove.

What they do not prove is named, and makes the scope partial: nothing is concluded from absence.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import (
    ALL_KINDS,
    FillsCall,
    ListingCall,
    LookupCall,
    MarketKind,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of
from reconciler.venue.paging import USUAL_PAGES

Claims = Mapping[MarketKind, list[Mapping[str, Any]]]
"""What ccxt's `features` say of each kind of market; a kind may be traded as swap and as future."""

_TYPES = ("spot", "swap", "future", "option")
_SUBTYPES = (("linear", MarketKind.LINEAR), ("inverse", MarketKind.INVERSE))


def generic_description(exchange: Any) -> VenueDescription:
    """Return what an unmodified ccxt instance claims about itself."""
    has: Mapping[str, Any] = exchange.has
    default, claims = _of_default_type(exchange), _claims(exchange)
    listings: list[ListingCall] = []
    gaps: dict[ScopeName, str] = {}
    if has.get("fetchOpenOrders") is True:
        listings.append(_listing(ScopeName.OPEN_ORDERS, default))
    reason = _why_orders_may_be_missing(exchange, default)
    if reason:
        gaps[ScopeName.OPEN_ORDERS] = reason
    if listings and _says(default, "fetchOpenOrders", "trigger"):
        listings.append(_listing(ScopeName.TRIGGER_ORDERS, default, trigger=True))
        gaps[ScopeName.TRIGGER_ORDERS] = "one call may not list every kind of trigger order"
    elif any(_may_have_trigger_orders(claim) for claim in (default, *_all(claims))):
        gaps[ScopeName.TRIGGER_ORDERS] = "ccxt does not say how this venue lists trigger orders"
    not_covered = ["balances"]
    if has.get("fetchPositions") is True and set(_market_types(exchange)) - {"spot"}:
        listings.append(
            ListingCall(
                scope=ScopeName.POSITIONS, method="fetch_positions", looks_full_at=USUAL_PAGES
            )
        )
        gaps[ScopeName.POSITIONS] = (
            "ccxt does not say whether one call lists the positions of all market types and "
            "settle currencies"
        )
    else:
        not_covered.append("positions: ccxt has no call for them at this venue")
    return VenueDescription(
        venue=exchange.id,
        listings=tuple(listings),
        # ccxt says nowhere whether a client order id is honoured or silently ignored.
        lookups=_lookups(claims) if has.get("fetchOrder") is True else (),
        fills=_fills(claims) if has.get("fetchMyTrades") is True else (),
        retention=retention_of(exchange.id),
        is_described=False,
        gaps=gaps,
        not_covered=(*not_covered, *(f"{name}: {why}" for name, why in gaps.items())),
    )


def _listing(scope: ScopeName, claim: Mapping[str, Any], *, trigger: bool = False) -> ListingCall:
    limit = _claim(claim, "fetchOpenOrders").get("limit")
    return ListingCall(
        scope=scope,
        method="fetch_open_orders",
        params={"trigger": True} if trigger else {},
        looks_full_at=USUAL_PAGES | ({int(limit)} if limit else frozenset()),
    )


def _lookups(claims: Claims) -> tuple[LookupCall, ...]:
    regular, triggers = _kinds_with(claims, "fetchOrder"), _kinds_saying(claims, "trigger")
    return (
        *((LookupCall(kinds=regular),) if regular else ()),
        *(
            (LookupCall(kinds=triggers, trigger=True, params={"trigger": True}),)
            if triggers
            else ()
        ),
    )


def _kinds_with(claims: Claims, call: str) -> frozenset[MarketKind]:
    """Return the kinds that the call is for: all where ccxt says nothing of any."""
    if not claims:
        return ALL_KINDS
    return frozenset(kind for kind, of in claims.items() if all(_claim(c, call) for c in of))


def _kinds_saying(claims: Claims, claim: str) -> frozenset[MarketKind]:
    return frozenset(
        kind for kind, of in claims.items() if all(_says(c, "fetchOrder", claim) for c in of)
    )


def _fills(claims: Claims) -> tuple[FillsCall, ...]:
    if not claims:
        return (FillsCall(looks_full_at=USUAL_PAGES),)
    return tuple(
        _fills_of(kind, [_claim(claim, "fetchMyTrades") for claim in claims[kind]])
        for kind in sorted(_kinds_with(claims, "fetchMyTrades"))
    )


def _fills_of(kind: MarketKind, said: list[Mapping[str, Any]]) -> FillsCall:
    until_days, days_back = _least(said, "untilDays"), _least(said, "daysBack")
    return FillsCall(
        kinds=frozenset({kind}),
        window=timedelta(days=until_days) if until_days else None,
        page=int(_least(said, "limit") or 100),
        kept=timedelta(days=days_back) if days_back else None,
        looks_full_at=USUAL_PAGES,
    )


def _least(said: Iterable[Mapping[str, Any]], claim: str) -> float | None:
    return min((float(one[claim]) for one in said if one.get(claim)), default=None)


def _why_orders_may_be_missing(exchange: Any, default: Mapping[str, Any]) -> str | None:
    if exchange.has.get("fetchOpenOrders") is not True:
        return "ccxt has no call that lists open orders at this venue"
    if len(_market_types(exchange)) > 1 or len(_claims(exchange)) > 1:
        return "one call may list only one of this venue's market types"
    if _says(default, "fetchOpenOrders", "marginMode"):
        return "margin orders may be listed apart"
    if not _claim(default, "fetchOpenOrders"):
        return "ccxt does not describe what the listing covers"
    if _says(default, "fetchOpenOrders", "symbolRequired"):
        return "the listing wants a symbol"
    return None


def _market_types(exchange: Any) -> list[str]:
    # Margin orders may be listed apart from spot orders.
    return [name for name in ("spot", "margin", *_TYPES[1:]) if exchange.has.get(name) is True]


def _of_default_type(exchange: Any) -> Mapping[str, Any]:
    """Return ccxt's claims about the one market type that its calls are for by default."""
    types = [name for name in _TYPES if exchange.has.get(name) is True]
    default = exchange.options.get("defaultType")
    if default not in types:
        # ccxt's default is spot, also where it inherits from a venue that has it.
        default = types[0] if types else "spot"
    found = _described(exchange).get(default) or {}
    if "fetchOpenOrders" in found:
        return dict(found)
    wanted = exchange.options.get("defaultSubType") or "linear"
    said = [found[sub] for sub in (wanted, "linear", "inverse") if found.get(sub)]
    return dict(said[0]) if said else {}


def _claims(exchange: Any) -> Claims:
    claims: dict[MarketKind, list[Mapping[str, Any]]] = {}
    for name in _TYPES:
        found = _described(exchange).get(name) if exchange.has.get(name) is True else None
        if not found:
            continue
        if name in {"spot", "option"}:
            claims.setdefault(MarketKind(name), []).append(found)
            continue
        for sub, kind in _SUBTYPES:
            if found.get(sub):
                claims.setdefault(kind, []).append(found[sub])
    return claims


def _described(exchange: Any) -> Mapping[str, Any]:
    return getattr(exchange, "features", None) or {}


def _all(claims: Claims) -> list[Mapping[str, Any]]:
    return [claim for of in claims.values() for claim in of]


def _claim(claims: Mapping[str, Any], call: str) -> Mapping[str, Any]:
    claim = claims.get(call)
    return claim if isinstance(claim, Mapping) else {}


def _says(claims: Mapping[str, Any], call: str, claim: str) -> bool:
    return _claim(claims, call).get(claim) is True


def _may_have_trigger_orders(claims: Mapping[str, Any]) -> bool:
    creating = _claim(claims, "createOrder")
    words = ("triggerPrice", "stopLossPrice", "takeProfitPrice", "trailing")
    return not creating or any(creating.get(word) for word in words)
