"""The suspicions of one account during one pass: what was seen again, what fell away."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.domain.identity import AccountName, BookName
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.domain.verdicts import OrderVerdictKind, PositionVerdictKind
from reconciler.rules.confirmation import FORGET_AFTER, see_again

ORDER_FAMILY = frozenset(kind.value for kind in OrderVerdictKind)
POSITION_FAMILY = frozenset(kind.value for kind in PositionVerdictKind)
"""Within a family only one verdict about a subject can wait: another one starts over, and keeps
the time at which the difference was first seen."""

REWRITE_AFTER = timedelta(minutes=5)
"""`last_seen_at` alone is written no more often than this: steady states write nothing."""


class SuspicionBook:
    """Starts from memory, ends as rows to keep and keys to drop."""

    def __init__(
        self,
        remembered: Mapping[tuple[str, str], Suspicion],
        *,
        book: BookName,
        account: AccountName,
        now: datetime,
    ) -> None:
        self._before = dict(remembered)
        self._after: dict[tuple[str, str], Suspicion] = {}
        self._by_subject = {(_family_of(s.key.kind), s.key.subject): s for s in remembered.values()}
        self._touched: set[tuple[str, str]] = set()
        self._book = book
        self._account = account
        self._now = now

    def first_seen_at(self, family: frozenset[str], subject: str) -> datetime | None:
        """When the difference about this subject was first seen, under whatever verdict."""
        found = self._remembered(family, subject)
        return found.first_seen_at if found is not None else None

    def tried_at(self, subject: str) -> datetime | None:
        """When this order was last looked up."""
        found = self._remembered(ORDER_FAMILY, subject)
        return found.tried_at if found is not None else None

    def see(self, kind: str, subject: str, *, spacing: timedelta, counts: bool = True) -> Suspicion:
        """The verdict was reached (again)."""
        family = _family_of(kind)
        previous = self._by_subject.get((family, subject))
        key = SuspicionKey(book=self._book, account=self._account, kind=kind, subject=subject)
        same = previous if previous is not None and previous.key.kind == kind else None
        if same is not None and not counts:
            same = replace(same, count=0, counted_at=None)
        seen = see_again(key=key, previous=same, now=self._now, spacing=spacing, counts=counts)
        if previous is not None and same is None and self._is_recent(previous):
            seen = replace(seen, first_seen_at=previous.first_seen_at, tried_at=previous.tried_at)
        return self._keep(seen)

    def leave(self, family: frozenset[str], subject: str) -> None:
        """Nothing was learnt about this subject: its suspicion neither ages nor counts."""
        found = self._remembered(family, subject)
        if found is not None:
            self._keep(found)

    def note_tried(self, subject: str) -> None:
        """A lookup was made for this order just now."""
        for key, suspicion in self._after.items():
            if key[1] == subject and key[0] in ORDER_FAMILY:
                self._after[key] = replace(suspicion, tried_at=self._now)

    def changes(
        self, *, settled: Iterable[str]
    ) -> tuple[tuple[Suspicion, ...], tuple[SuspicionKey, ...]]:
        """Rows to write and keys to drop. `settled`: kinds that this pass judged in full, whose
        unseen suspicions are over; the others stay as they were.
        """
        over = set(settled)
        keep = tuple(s for key, s in self._after.items() if self._is_news(s, self._before.get(key)))
        drop = tuple(
            s.key
            for key, s in self._before.items()
            if key not in self._after
            and (s.key.kind in over or (_family_of(s.key.kind), s.key.subject) in self._touched)
        )
        return keep, drop

    def _keep(self, suspicion: Suspicion) -> Suspicion:
        self._after[suspicion.key.kind, suspicion.key.subject] = suspicion
        self._touched.add((_family_of(suspicion.key.kind), suspicion.key.subject))
        return suspicion

    def _remembered(self, family: frozenset[str], subject: str) -> Suspicion | None:
        found = self._by_subject.get((_family_of(next(iter(family))), subject))
        return found if found is not None and self._is_recent(found) else None

    def _is_recent(self, suspicion: Suspicion) -> bool:
        return self._now - suspicion.last_seen_at <= FORGET_AFTER

    @staticmethod
    def _is_news(after: Suspicion, before: Suspicion | None) -> bool:
        if before is None:
            return True
        if after.last_seen_at - before.last_seen_at >= REWRITE_AFTER:
            return True
        return replace(after, last_seen_at=before.last_seen_at) != before


def _family_of(kind: str) -> str:
    """Kinds outside both families stand alone."""
    if kind in ORDER_FAMILY:
        return "order"
    return "position" if kind in POSITION_FAMILY else kind
