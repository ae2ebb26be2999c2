"""`/api/orders`: the backlog of the book, and one order as book and venue see it now."""

from fastapi import APIRouter, Request, Response

from reconciler.http.asking import (
    MAY_BE_REFUSED,
    MAY_LACK_BOOKS,
    Act,
    By,
    FromDesk,
    OfAccount,
    OfBook,
    OfProfile,
    OrderId,
    tell_unread,
)
from reconciler.http.venue_questions import asking_a_venue
from reconciler.incidents.acting import ActionReport
from reconciler.incidents.answers import OrderReport, OrderRow
from reconciler.incidents.cancelling import cancel_order
from reconciler.incidents.orders import list_orders, show_order

router = APIRouter(prefix="/api/orders", tags=["orders"])


@router.get("", responses=MAY_LACK_BOOKS)
async def orders_list(
    response: Response,
    desk: FromDesk,
    *,
    stale: bool = False,
    account: OfAccount = None,
    profile: OfProfile = None,
) -> tuple[OrderRow, ...]:
    """Orders that are not terminal in the book, the oldest first. A book that cannot be read is
    named in the header `X-Reconciler-Not-Read`.
    """
    unread: dict[str, str] = {}
    rows = await list_orders(desk, stale=stale, account=account, profile=profile, unread=unread)
    tell_unread(response, unread)
    return rows


@router.get("/{order_id:quoted}")
async def orders_show(
    request: Request, desk: FromDesk, order_id: OrderId, book: OfBook = None
) -> OrderReport:
    """One order of the book, and what the venue says of it now: the venue is asked."""
    async with asking_a_venue(request):
        return await show_order(desk, order_id, book=book)


@router.post("/{order_id:quoted}/cancel", responses=MAY_BE_REFUSED)
async def orders_cancel(
    request: Request,
    desk: FromDesk,
    by: By,
    order_id: OrderId,
    body: Act,
    *,
    book: OfBook = None,
) -> ActionReport:
    """Cancel a stuck order at the venue, where `[policy]` allows it: dry unless it is executed.
    Read `outcome`: 200 says that the question was answered, not that it was done.
    """
    async with asking_a_venue(request):
        return await cancel_order(
            desk, by, order_id, note=body.note, execute=body.execute, book=book
        )
