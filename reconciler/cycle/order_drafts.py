"""Incidents about orders: what each says, and the evidence that it rests on."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from reconciler.cycle.looking import Look
from reconciler.cycle.suspicion_book import ORDER_FAMILY
from reconciler.domain.identity import BookOrderId
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind, Severity
from reconciler.domain.orders import BookOrder, OrderUpdate
from reconciler.domain.snapshot import Lookup
from reconciler.domain.verdicts import OrderVerdict, OrderVerdictKind
from reconciler.incidents.evidence import JudgedUnder, evidence_bundle, evidence_of_many
from reconciler.rules.matching import match_orders
from reconciler.rules.severity import FIXED, severity_of_order, why_exposure_uncertain

Lookups = Mapping[BookOrderId, Lookup]
NAMED = 20
"""Order ids in the details of an incident about many; a screen holds no more."""


def quarantined_draft(look: Look, lookups: Lookups, verdict: OrderVerdict) -> IncidentDraft:
    """An order that no endpoint knows was set aside."""
    order = verdict.order
    assert order is not None
    uncertain = _exposure(look, verdict)
    return _order_draft(
        look,
        lookups,
        verdict,
        kind=IncidentKind.ORDER_QUARANTINED,
        severity=severity_of_order(exposure_uncertain=uncertain),
        title=f"order {order.id} ({order.raw_symbol} {order.side} {order.qty:f}) quarantined: "
        f"{verdict.quarantine_reason}",
        more={"reason": verdict.quarantine_reason, "exposure": uncertain or "agrees"},
    )


def unaware_fill_draft(
    look: Look, lookups: Lookups, verdict: OrderVerdict, update: OrderUpdate
) -> IncidentDraft:
    """An order filled while the bot was not looking."""
    order = update.order
    gained: Decimal = update.filled - order.filled
    uncertain = _exposure(look, verdict)
    return _order_draft(
        look,
        lookups,
        verdict,
        kind=IncidentKind.UNAWARE_FILL,
        severity=severity_of_order(exposure_uncertain=uncertain),
        title=f"order {order.id} ({order.raw_symbol} {order.side}) filled {gained:f} unseen "
        "by the bot",
        more={"position_effect": f"{order.side} {gained:f}", "exposure": uncertain or "agrees"},
    )


def reported_draft(look: Look, verdict: OrderVerdict) -> IncidentDraft:
    """A stuck order or an orphan: nothing is written to the book."""
    order, venue = verdict.order, verdict.venue_order
    name = order.raw_symbol if order is not None else (venue.symbol if venue is not None else "")
    number = order.id if order is not None else (venue.venue_order_id if venue is not None else "")
    return _order_draft(
        look,
        {},
        verdict,
        kind=IncidentKind(verdict.kind.value),
        severity=reported_severity(look, verdict),
        title=f"order {number} ({name}): {verdict.reason}",
        more={},
    )


def reported_severity(look: Look, verdict: OrderVerdict) -> Severity:
    """An orphan is SEV-2; a stuck order is SEV-1 while exposure is uncertain."""
    if verdict.kind is OrderVerdictKind.ORPHAN or verdict.order is None:
        return FIXED[IncidentKind.ORPHAN_ORDER]
    return severity_of_order(exposure_uncertain=_exposure(look, verdict))


def _exposure(look: Look, verdict: OrderVerdict) -> str | None:
    assert verdict.order is not None
    return why_exposure_uncertain(
        symbol=verdict.order.symbol, snapshot=look.snapshot, positions=look.positions
    )


def _order_draft(
    look: Look,
    lookups: Lookups,
    verdict: OrderVerdict,
    *,
    kind: IncidentKind,
    severity: Severity,
    title: str,
    more: Mapping[str, object],
) -> IncidentDraft:
    order, venue = verdict.order, verdict.venue_order
    shown = venue if venue is not None else order
    named = order if order is not None else venue
    assert shown is not None
    assert named is not None
    return IncidentDraft(
        key=IncidentKey(
            kind=kind,
            book=look.tools.book.name,
            account=look.tools.account,
            subject=verdict.subject,
        ),
        severity=severity,
        title=title,
        symbol=named.symbol,
        profile_id=order.profile_id if order is not None else None,
        order_id=order.id if order is not None else shown.venue_order_id,
        details={
            "why": verdict.reason,
            "mode": look.judging.mode,
            "symbol": named.symbol,
            "side": named.side,
            "qty": named.qty,
            "venue_order_id": shown.venue_order_id,
            "client_order_id": shown.client_order_id,
            **more,
        },
        evidence=evidence_bundle(
            reading=look.reading,
            snapshot=look.snapshot,
            symbol=named.symbol,
            verdict=verdict,
            limits={"orders": look.judging.orders},
            lookup=lookups.get(order.id) if order is not None else None,
            changed_at=look.changed_at.get(named.symbol),
            under=JudgedUnder(
                now=look.now,
                ownership=look.ownership,
                first_seen_at=look.suspicions.first_seen_at(ORDER_FAMILY, verdict.subject),
            ),
        ),
    )


def named_orders(rows: Sequence[BookOrder]) -> dict[str, object]:
    """For `details` of an incident about many orders; the evidence has their rows."""
    return {
        "symbols": sorted({row.symbol for row in rows}),
        "orders": [row.id for row in rows[:NAMED]],
        "orders_more": max(len(rows) - NAMED, 0),
    }


def _not_shown(look: Look) -> list[BookOrder]:
    """Live rows that the venue's listing does not have, the oldest first."""
    shown = match_orders(rows=look.reading.orders, listed=look.snapshot.orders).by_order
    rows = [r for r in look.reading.orders if r.state.is_live and r.id not in shown]
    return sorted(rows, key=lambda row: (row.created_at, row.id))


def mass_change_draft(look: Look, why: str) -> IncidentDraft:
    """Half the account seems gone: nothing is quarantined (rule 9)."""
    missing = _not_shown(look)
    return IncidentDraft(
        key=IncidentKey(
            kind=IncidentKind.MASS_CHANGE,
            book=look.tools.book.name,
            account=look.tools.account,
            subject="orders",
        ),
        severity=FIXED[IncidentKind.MASS_CHANGE],
        title=f"account {look.tools.account}: mass change, nothing is quarantined",
        details={
            "why": why,
            "profiles": sorted({row.profile_id for row in missing}),
            **named_orders(missing),
            "mend": "check the key, the sub-account and the database; nothing is quarantined "
            "until the listing has the orders again or a person lets it through "
            "(docs/runbooks/mass-change.md)",
        },
        evidence=evidence_of_many(
            reading=look.reading,
            snapshot=look.snapshot,
            orders=missing,
            why=why,
            limits={"blast": look.judging.blast, "orders": look.judging.orders},
        ),
    )


def refused_draft(look: Look, refused: Mapping[str, str]) -> IncidentDraft:
    """The book refused writes that were due: by order id, what it said."""
    return IncidentDraft(
        key=IncidentKey(
            kind=IncidentKind.BOOK_UNREADABLE,
            book=look.tools.book.name,
            account=look.tools.account,
            subject="writes",
        ),
        severity=FIXED[IncidentKind.BOOK_UNREADABLE],
        title=f"book {look.tools.book.name}: it refuses what is to be written to its orders",
        details={"orders": dict(refused), "why": next(iter(refused.values()), "")},
    )
