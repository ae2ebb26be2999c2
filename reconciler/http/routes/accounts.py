"""`/api/accounts`, `/api/guards`, `/api/ignores`: what is judged, acted on, held back, left out."""

from datetime import timedelta
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from reconciler.http.asking import (
    MARKET,
    MAY_BE_REFUSED,
    Account,
    By,
    FromDesk,
    Noted,
    OfAccount,
    note_of,
)
from reconciler.incidents.accounts import PAUSED_FOR, list_accounts, pause, resume
from reconciler.incidents.answers import AccountRow, Done, GuardRow, IgnoreRow
from reconciler.incidents.desk import LONGEST_NAME
from reconciler.incidents.guards import accept, list_guards
from reconciler.incidents.ignores import add_ignore, list_ignores, remove_ignore
from reconciler.settings.durations import parse_duration

router = APIRouter(prefix="/api")

UP_TO_30_DAYS = (
    r"^([1-9][0-9]{0,5}s|[1-9][0-9]{0,3}m|([1-9][0-9]?|[1-6][0-9]{2})h|([1-9]|[12][0-9]|30)d)$"
)


class Pause(Noted):
    """How long, and why."""

    duration: str = Field(
        f"{PAUSED_FOR // timedelta(hours=1)}h",
        alias="for",
        pattern=UP_TO_30_DAYS,
        examples=["2h", "90m", "1d"],
    )
    """A number and `s`, `m`, `h` or `d`; 30 days at most."""


class Ignored(Noted):
    """What is known, and not to be judged."""

    what: Literal["symbol", "order"]
    """A symbol, or an order by the venue's id."""

    value: str = Field(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=MARKET,
        examples=["BTC/USDT:USDT"],
    )
    """As the venue or ccxt spells it."""


@router.get("/accounts", tags=["accounts"])
async def accounts_list(desk: FromDesk) -> tuple[AccountRow, ...]:
    """Every configured account: who judges it, whether it is paused, what is open."""
    return await list_accounts(desk)


@router.post("/accounts/{account:quoted}/pause", tags=["accounts"])
async def accounts_pause(
    desk: FromDesk, by: By, account: Account, body: Pause | None = None
) -> Done:
    """Judged and not acted on, from the next look until the end; a new end replaces the old."""
    body = body or Pause.model_validate({})
    duration = parse_duration(body.duration)
    return await pause(desk, by, account, duration=duration, note=body.note)


@router.post("/accounts/{account:quoted}/resume", tags=["accounts"], responses=MAY_BE_REFUSED)
async def accounts_resume(
    desk: FromDesk, by: By, account: Account, body: Noted | None = None
) -> Done:
    """Acted on again."""
    return await resume(desk, by, account, note=note_of(body))


@router.get("/guards", tags=["guards"])
async def guards_list(desk: FromDesk, account: OfAccount = None) -> tuple[GuardRow, ...]:
    """Mass changes that are held back now."""
    return await list_guards(desk, account=account)


@router.post("/guards/{account:quoted}/accept", tags=["guards"], responses=MAY_BE_REFUSED)
async def guards_accept(
    desk: FromDesk, by: By, account: Account, body: Noted | None = None
) -> Done:
    """Let what is held back through, once."""
    return await accept(desk, by, account, note=note_of(body))


@router.get("/ignores", tags=["ignores"])
async def ignores_list(desk: FromDesk, account: OfAccount = None) -> tuple[IgnoreRow, ...]:
    """Known manual positions and orders, from the configuration and from people."""
    return await list_ignores(desk, account=account)


@router.post("/ignores/{account:quoted}/add", tags=["ignores"], responses=MAY_BE_REFUSED)
async def ignores_add(desk: FromDesk, by: By, account: Account, body: Ignored) -> Done:
    """Not judged any more, from the next look on."""
    return await add_ignore(desk, by, account, what=body.what, value=body.value, note=body.note)


@router.post("/ignores/{account:quoted}/remove", tags=["ignores"], responses=MAY_BE_REFUSED)
async def ignores_remove(desk: FromDesk, by: By, account: Account, body: Ignored) -> Done:
    """Judged again, from the next look on."""
    return await remove_ignore(desk, by, account, what=body.what, value=body.value, note=body.note)
