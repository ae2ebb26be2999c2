"""Rule 3: venues forget. Whether a missing order was forgotten or should still be there."""

from datetime import timedelta
from enum import StrEnum


class MissingReason(StrEnum):
    """Why a proven-missing order may be missing. The 24 h rule applies to all."""

    FORGOTTEN = "forgotten"
    """Older than the venue keeps a cancelled unfilled order: it may simply be gone."""
    NEVER_SEEN = "never_seen"
    """The venue should still know it: wrong id, wrong account, or it never arrived."""
    UNIDENTIFIABLE = "unidentifiable"
    """The book has neither id: only the listing and the fills could be asked."""


def reason_missing(*, age: timedelta, has_id: bool, retention: timedelta | None) -> MissingReason:
    """Which of the three it is. `retention` None: the venue publishes no purge."""
    if not has_id:
        return MissingReason.UNIDENTIFIABLE
    if retention is not None and age > retention:
        return MissingReason.FORGOTTEN
    return MissingReason.NEVER_SEEN
