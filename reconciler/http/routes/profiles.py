"""`/api/profiles`: which are contained, and letting one trade again."""

from fastapi import APIRouter, Response

from reconciler.http.asking import (
    MAY_BE_REFUSED,
    MAY_LACK_BOOKS,
    By,
    FromDesk,
    Noted,
    OfAccount,
    OfBook,
    ProfileId,
    note_of,
    tell_unread,
)
from reconciler.incidents.answers import Done, ProfileReport, ProfileRow
from reconciler.incidents.profiles import list_profiles, reenable, show_profile

router = APIRouter(prefix="/api/profiles", tags=["profiles"])


@router.get("", responses=MAY_LACK_BOOKS)
async def profiles_list(
    response: Response, desk: FromDesk, account: OfAccount = None
) -> tuple[ProfileRow, ...]:
    """Every profile of the configured accounts. A book that cannot be read is named in the header
    `X-Reconciler-Not-Read`.
    """
    unread: dict[str, str] = {}
    rows = await list_profiles(desk, account=account, unread=unread)
    tell_unread(response, unread)
    return rows


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
