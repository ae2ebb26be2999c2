"""What people are told when a contained profile trades again."""

from typing import Any

EVENT = "profile_reenabled"
"""By a person, at the desk."""
RELEASED = "profile_released"
"""By the bot, or by hand in the book."""


def reenabled_notice(
    *,
    event: str,
    book: str,
    account: str,
    profile_id: str,
    incident_id: int | None,
    by: str,
    why: str,
    mark: object,
) -> dict[str, Any]:
    """A notice, written in the transaction of the release. `mark`: which release of it this is."""
    return {
        "event": event,
        "key": f"profile:{profile_id}:{event}:{mark}",
        "title": f"profile {profile_id} on {account} trades again",
        "profile_id": profile_id,
        "account": account,
        "book": book,
        "incident_id": incident_id,
        "by": by,
        "why": why or None,
    }
