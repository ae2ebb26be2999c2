"""What the operations work with: our tables, the books, the venues, and who asks."""

import re
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, Protocol

from reconciler.domain.identity import AccountName, BookName, ProfileId
from reconciler.incidents.acting import Acting
from reconciler.incidents.errors import NotFoundError, UsageError
from reconciler.ports import Book, Venue
from reconciler.rules.order_status import OrderLimits
from reconciler.rules.policy import ActingPolicy
from reconciler.store.connecting import Pool

LONGEST_NAME = 200
LONGEST_NOTE = 4000
SURROGATE = re.compile("[\ud800-\udfff]")
"""Halves of characters: bytes of a command line that are no UTF-8, or escapes in JSON."""


class DeskBook(Book, Protocol):
    """A book as people work with it."""

    def renew(self) -> None:
        """The next reading is no shared one: a person sees what was written just now."""

    async def activate(
        self, connection: Any, profiles: Sequence[tuple[ProfileId, str]]
    ) -> frozenset[ProfileId]:
        """Set profiles back to these statuses where still inactive; those that were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedAccount:
    """One configured account, as far as the desk needs it."""

    venue: str
    book: BookName
    orders: OrderLimits
    ignored_symbols: tuple[str, ...] = ()
    ignored_order_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The parts of one process that operations use. Made by `service.desk_of`."""

    pool: Pool
    books: Mapping[BookName, DeskBook]
    venues: Mapping[AccountName, Venue]
    accounts: Mapping[AccountName, WatchedAccount]
    mode: Literal["enforce", "observe"]
    stale_after: timedelta
    parity_needed: int
    """Complete snapshots in a row that confirm parity (`positions.confirmations`)."""
    redact: Callable[[Any], Any]
    policy: ActingPolicy = field(default_factory=ActingPolicy)
    """Off unless it is given."""
    acting: Mapping[AccountName, Acting] = field(default_factory=dict)
    """What can write at a venue; used by `closing` and `cancelling` alone."""

    def account(self, name: str) -> WatchedAccount:
        """A configured account. Raises NotFoundError."""
        found = self.accounts.get(AccountName(name))
        if found is None:
            known = ", ".join(sorted(self.accounts))
            raise NotFoundError(f"account {name!r} is not configured; known: {known}")
        return found

    def check_known(self, account: str | None, found: Sized) -> None:
        """A misspelt account must not read as "nothing is wrong": raises NotFoundError where it is
        not configured and nothing of it is on record either.
        """
        if account is not None and not found:
            self.account(account)

    def book_of(self, account: AccountName) -> DeskBook:
        """The book of a configured account."""
        return self.books[self.accounts[account].book]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks, and by which face of the desk. Raises UsageError for a name that is none."""

    who: str
    surface: Literal["cli", "http"]

    def __post_init__(self) -> None:
        if not self.who.strip() or len(self.who) > LONGEST_NAME or not self.who.isprintable():
            raise UsageError(f"who asks must be a name of 1 to {LONGEST_NAME} printable characters")


def checked_note(note: str, *, needed: bool = False) -> str:
    """A note as it is kept. Raises UsageError where it is too long, or lacks and is needed."""
    kept = note.strip()
    if needed and not kept:
        raise UsageError("a note is needed: say in a sentence why")
    if len(kept) > LONGEST_NOTE:
        raise UsageError(f"the note is too long: at most {LONGEST_NOTE} characters")
    check_text(kept)
    return kept


def check_text(*texts: str | None) -> None:
    """Raise UsageError for text that no database keeps, and that so names nothing."""
    for text in texts:
        if text is not None and ("\x00" in text or SURROGATE.search(text)):
            raise UsageError("a text has characters that no database keeps")
