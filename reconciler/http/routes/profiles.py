"""`/api/profiles`: which are contained, and letting one trade again."""

from fastapi import APIRouter

from reconciler.http.asking import (
    MAY_BE_REFUSED,
    By,
    FromDesk,
    Noted,
    OfAccount,
    OfBook,
    ProfileId,
    note_of,
)
from reconciler.incidents.answers import Done, ProfileReport, ProfileRow
from reconciler.incidents.profiles import list_profiles, reenable, show_profile

router = APIRouter(prefix="/api/profiles", tags=["profiles"])


@router.get("")
async def profiles_list(desk: FromDesk, account: OfAccount = None) -> tuple[ProfileRow, ...]:
    """Every profile of the configured accounts."""
    return await list_profiles(desk, account=account)


@router.get("/{profile_id:quoted}")
async def profiles_show(
    desk: FromDesk, profile_id: ProfileId, book: OfBook = None
) -> ProfileReport:
    """One profile, and what stands between it and trading."""
    return await show_profile(desk, profile_id, book=book)


@router.post("/{profile_id:quoted}/reenable", responses=MAY_BE_REFUSED)
async def profiles_reenable(
    desk: FromDesk,
    by: By,
    profile_id: ProfileId,
    body: Noted | None = None,
    book: OfBook = None,
) -> Done:
    """Let a contained profile trade again: refused until parity is confirmed."""
    return await reenable(desk, by, profile_id, note=note_of(body), book=book)
