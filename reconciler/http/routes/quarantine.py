"""`/api/quarantine`: orders set aside for a person."""

import contextlib
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from reconciler.http.asking import (
    MAY_BE_REFUSED,
    By,
    Explained,
    FromDesk,
    Limit,
    OfAccount,
    OfBook,
    OrderId,
)
from reconciler.http.venue_questions import asking_a_venue
from reconciler.incidents.answers import Done, QuarantineReport, QuarantineRow
from reconciler.incidents.quarantine import (
    add_to_quarantine,
    list_quarantine,
    resolve_quarantined,
    show_quarantined,
)

router = APIRouter(prefix="/api/quarantine", tags=["quarantine"])


class Review(Explained):
    """What became of the order, and how that is known."""

    status: Literal["filled", "canceled", "expired", "rejected", "open", "partially_filled"]
    """How it ended, or that it lives; the book gets its own word for it."""

    filled: str | None = Field(None, pattern=r"^[0-9]{1,20}(\.[0-9]{1,20})?$", examples=["0.5"])
    """How much, in base units; never lowered. Left out: all of a filled order, else as it is."""


@router.get("")
async def quarantine_list(
    desk: FromDesk,
    review: Literal["pending", "resolved", "all"] = "pending",
    account: OfAccount = None,
    limit: Limit = 200,
) -> tuple[QuarantineRow, ...]:
    """Quarantined orders, the youngest first."""
    return await list_quarantine(desk, review=review, account=account, limit=limit)


@router.get("/{order_id:quoted}")
async def quarantine_show(
    request: Request,
    desk: FromDesk,
    order_id: OrderId,
    book: OfBook = None,
    *,
    live: Annotated[bool, Query(description="Ask the venue, too.")] = False,
) -> QuarantineReport:
    """Why, with the evidence."""
    async with asking_a_venue(request) if live else contextlib.nullcontext():
        return await show_quarantined(desk, order_id, book=book, live=live)


@router.post("/{order_id:quoted}/add", responses=MAY_BE_REFUSED)
async def quarantine_add(
    desk: FromDesk, by: By, order_id: OrderId, body: Explained, book: OfBook = None
) -> Done:
    """Set an order aside by hand: its status in the book becomes `unknown`."""
    return await add_to_quarantine(desk, by, order_id, note=body.note, book=book)


@router.post("/{order_id:quoted}/resolve", responses=MAY_BE_REFUSED)
async def quarantine_resolve(
    desk: FromDesk, by: By, order_id: OrderId, body: Review, book: OfBook = None
) -> Done:
    """Give it its final status, which ends its incident."""
    filled = Decimal(body.filled) if body.filled is not None else None
    return await resolve_quarantined(
        desk, by, order_id, status=body.status, note=body.note, filled=filled, book=book
    )
