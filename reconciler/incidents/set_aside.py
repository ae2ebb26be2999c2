"""What is recorded when a person sets an order aside: review row, incident, audit, notice."""

from typing import Any

from reconciler.domain.identity import Symbol
from reconciler.domain.incidents import IncidentKind, Severity
from reconciler.domain.orders import BookOrder, OrderUpdate
from reconciler.incidents.operating import RECORDS, SQL, Operation
from reconciler.incidents.rows_of_books import OrderPlace
from reconciler.store.queries import queries

INCIDENTS = queries("incidents")
BY_HAND = "by_hand"
POSITION_KINDS = frozenset(
    {"ghost_position", "phantom_position", "quantity_mismatch", "side_mismatch"}
)


async def record_set_aside(
    operation: Operation,
    place: OrderPlace,
    update: OrderUpdate,
    *,
    symbol: Symbol,
    note: str,
    evidence: dict[str, Any],
) -> None:
    """In the transaction of the guarded write, and only once that was made."""
    order, book = update.order, place.book.name
    exposure = await _exposure(operation, place, symbol)
    severity = Severity.SEV_1 if exposure else Severity.SEV_2
    details = {
        "why": f"set aside by hand: {note}",
        "by": operation.actor.who,
        "reason": BY_HAND,
        "symbol": symbol,
        "side": order.side,
        "qty": order.qty,
        "venue_order_id": order.venue_order_id,
        "client_order_id": order.client_order_id,
        "exposure": exposure or "agrees, as far as is known",
        "mode": operation.desk.mode,
    }
    incident = await _open(operation, place, order=order, severity=severity, details=details)
    operation.incident_id = incident["id"]
    await operation.connection.execute(
        INCIDENTS["add_evidence"], incident["id"], None, operation.json(evidence)
    )
    operation.details = {"note": note, "status_before": order.raw_status}
    await operation.connection.execute(
        RECORDS["add_quarantine"],
        book,
        order.id,
        place.account,
        order.profile_id,
        symbol,
        BY_HAND,
        order.raw_status,
        incident["id"],
        operation.json({"verdict": details["why"], "exposure": details["exposure"]}),
    )
    if not place.book.writes_orders:
        return  # nothing was written to the book
    await operation.add_audit(
        book=book,
        account=place.account,
        rule="quarantine add",
        target="order",
        target_id=order.id,
        before={"status": order.raw_status, "filled": order.filled, "avg_price": order.avg_price},
        after={
            "status": place.book.word_to_write(update),
            "filled": order.filled,
            "avg_price": order.avg_price,
        },
        incident_id=incident["id"],
    )


async def _open(
    operation: Operation,
    place: OrderPlace,
    *,
    order: BookOrder,
    severity: Severity,
    details: dict[str, Any],
) -> Any:
    kind, book = IncidentKind.ORDER_QUARANTINED, place.book.name
    title = operation.text(
        f"order {order.id} ({order.raw_symbol} {order.side} {order.qty:f}) quarantined by hand, "
        f"by {operation.actor.who}"
    )
    row = await operation.connection.fetchrow(
        INCIDENTS["open"],
        book,
        kind,
        severity,
        place.account,
        order.id,
        order.profile_id,
        details["symbol"],
        order.id,
        title,
        operation.json(details),
    )
    event = "quarantined"
    if row is None:  # one of it is open still, from before
        row = await operation.connection.fetchrow(
            INCIDENTS["unresolved_of_key"], kind, book, place.account, order.id
        )
        assert row is not None
    else:
        event = "reopened" if row["reopened"] else "opened"
    said = await operation.add_event(row["id"], event, f"{title}: {details['why']}")
    incident = await operation.connection.fetchrow(SQL["incident"], row["id"])
    assert incident is not None
    if event != "quarantined":
        await operation.tell(incident, event, said, why=details["why"])
    return incident


async def _exposure(operation: Operation, place: OrderPlace, symbol: Symbol) -> str | None:
    """Why a fill of it may have changed a position unseen, as far as our tables know. The next
    look of the daemon knows more, and follows.
    """
    rows = await operation.connection.fetch(SQL["incidents_of"], place.book.name, place.account)
    for row in rows:
        if row["kind"] in POSITION_KINDS and row["symbol"] == symbol:
            return f"the position does not agree: incident {row['id']}"
    return None
