"""One profile that a bot is to let trade no more, or again."""

from dataclasses import dataclass

from reconciler.domain.identity import AccountName, BookName, ProfileId, Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Deactivation:
    """What is asked of a bot, and why."""

    book: BookName
    account: AccountName
    profile_id: ProfileId
    symbol: Symbol
    """The market of the incident."""
    incident_id: int
    reason: str
    key: str
    """Idempotency key: the same over retries and restarts."""
    status_before: str | None = None
    """What the profile's status goes back to."""
