"""What the bot's Postgres says: one reading of profiles, orders and positions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.domain.identity import AccountName, BookName, ProfileId, Symbol
from reconciler.domain.orders import BookOrder
from reconciler.domain.positions import BookPosition

INACTIVE_WORDS = frozenset(
    {"inactive", "disabled", "paused", "stopped", "archived", "deleted", "off", "false"}
)
"""Profile statuses that enter no trade. Any other word is taken as active: then we ask the book to
deactivate, and its own UPDATE decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One bot configuration that trades on one account."""

    id: ProfileId
    account: AccountName
    status: str
    name: str | None = None
    risk_limit: Decimal | None = None

    @property
    def is_active(self) -> bool:
        """Its status lets it enter trades."""
        return self.status.strip().lower() not in INACTIVE_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRow:
    """A row that says something we cannot take: it blocks what it is about, and nothing else."""

    table: str
    id: str
    why: str
    symbol: Symbol | None
    """None: not even its symbol can be read."""
    order_ids: tuple[str, ...] = ()
    """The venue and client order ids that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookReading:
    """The rows of one account, read in one transaction.

    `stray_*` are rows whose profile is not among the profiles: they may be this account's, so they
    stand against calling something absent from the book.
    """

    book: BookName
    account: AccountName
    read_at: datetime
    """Database clock."""
    profiles: tuple[Profile, ...] = ()
    orders: tuple[BookOrder, ...] = ()
    positions: tuple[BookPosition, ...] = ()
    stray_orders: tuple[BookOrder, ...] = ()
    stray_positions: tuple[BookPosition, ...] = ()
    unreadable: tuple[UnreadableRow, ...] = ()
    """Rows of this account's profiles, and stray ones."""
    clock_skew: timedelta | None = None
    """The book's database minus this host, where it is not that of our own tables."""
    other_accounts: frozenset[AccountName] = frozenset()
    """Accounts that other profiles of the book name."""
    other_profiles: frozenset[ProfileId] = frozenset()
    """Profiles of other accounts: their rows are not ours to judge."""
