"""The stale backlog of profiles over time."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.domain.identity import AccountName, ProfileId


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogSample:
    """How many stale orders one profile had at one look with a complete listing."""

    account: AccountName
    profile_id: ProfileId
    at: datetime
    """Database clock."""
    stale: int
