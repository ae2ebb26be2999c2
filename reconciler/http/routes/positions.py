"""`/api/positions`: what venue and book hold now, and closing a ghost under the policy."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field

from reconciler.http.asking import (
    MARKET,
    MAY_BE_REFUSED,
    Account,
    Act,
    By,
    FromDesk,
    OfAccount,
)
from reconciler.http.venue_questions import asking_a_venue
from reconciler.incidents.acting import ActionReport
from reconciler.incidents.closing import close_position
from reconciler.incidents.desk import LONGEST_NAME
from reconciler.incidents.positions import PositionRow, list_positions

router = APIRouter(prefix="/api/positions", tags=["positions"])


class Close(Act):
    """Which position, and why."""

    symbol: str = Field(
        min_length=1, max_length=LONGEST_NAME, pattern=MARKET, examples=["SOL/USDT:USDT"]
    )
    """In any spelling that the venue or ccxt has."""

    side: Literal["long", "short"] | None = None
    """Needed where both are open."""


@router.get("")
async def positions_list(
    request: Request, desk: FromDesk, account: OfAccount = None
) -> tuple[PositionRow, ...]:
    """Venue and book are read now. An account that does not answer is one row that says so."""
    async with asking_a_venue(request):
        return await list_positions(desk, account=account)


@router.post("/{account:quoted}/close", responses=MAY_BE_REFUSED)
async def positions_close(
    request: Request, desk: FromDesk, by: By, account: Account, body: Close
) -> ActionReport:
    """Close a ghost, reduce-only, where `[policy]` allows it: dry unless it is executed.
    Read `outcome`: 200 says that the question was answered, not that it was done.
    """
    async with asking_a_venue(request):
        return await close_position(
            desk, by, account, body.symbol, body.side, note=body.note, execute=body.execute
        )
