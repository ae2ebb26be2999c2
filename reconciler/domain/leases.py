"""The right to write for an account (DESIGN rule 11)."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.domain.identity import AccountName


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write for one account, until someone else takes a higher epoch."""

    account: AccountName
    holder: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Someone else judges this account."""

    holder: str
    expires_at: datetime
