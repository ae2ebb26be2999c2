"""The suspicions of one account during one pass: what was seen again, what fell away."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.domain.identity import AccountName, BookName
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.domain.verdicts import (
    HoldingVerdictKind,
    OrderVerdictKind,
    PositionVerdictKind,
)
from reconciler.rules.confirmation import FORGET_AFTER, see_again

ORDER_FAMILY = frozenset(kind.value for kind in OrderVerdictKind)
POSITION_FAMILY = frozenset(kind.value for kind in PositionVerdictKind)
"""Within a family only one verdict about a subject can wait: another one starts over, and keeps
the time at which the difference was first seen."""
UNATTRIBUTED = HoldingVerdictKind.UNATTRIBUTED.value
"""Of a currency: it stands alone."""
_ORDER = "order"

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
        by_age = sorted(remembered.values(), key=lambda s: (s.last_seen_at, s.count, s.key.kind))
        self._by_subject = {_place_of(s): s for s in by_age}
        self._after: dict[tuple[str, str], Suspicion] = {}
        """By (family, subject): the last verdict of this look takes the place of an earlier one."""
        self._agreed: set[tuple[str, str]] = set()
        self._book = book
        self._account = account
        self._now = now

    def first_seen_at(self, family: frozenset[str], subject: str) -> datetime | None:
        """When the difference about this subject was first seen, under whatever verdict."""
        found = self._remembered(family, subject)
        return found.first_seen_at if found is not None else None

    def tried_at(self, subject: str) -> datetime | None:
        """When this order was last looked up."""
        found = self._by_subject.get((_ORDER, subject))
        return found.tried_at if found is not None else None

    def see(
        self,
        kind: str,
        subject: str,
        *,
        spacing: timedelta,
        counts: bool = True,
        saying: str = "",
    ) -> Suspicion:
        """The verdict was reached (again)."""
        family = _family_of(kind)
        previous = self._by_subject.get((family, subject))
        key = SuspicionKey(book=self._book, account=self._account, kind=kind, subject=subject)
        same = previous if previous is not None and previous.key.kind == kind else None
        if same is not None and not counts:
            same = replace(same, count=0, counted_at=None)
        seen = see_again(
            key=key, previous=same, now=self._now, spacing=spacing, counts=counts, saying=saying
        )
        if previous is not None:
            # Whose turn it is to be looked up is remembered even where the count starts over: else
            # a backlog that takes over an hour to look up never gets past its first orders.
            seen = replace(seen, tried_at=previous.tried_at)
            if same is None and self._is_recent(previous):
                seen = replace(seen, first_seen_at=previous.first_seen_at)
        return self._keep(seen)

    def leave(self, family: frozenset[str], subject: str) -> None:
        """Nothing was learnt about this subject: its suspicion neither ages nor counts."""
        found = self._remembered(family, subject)
        if found is not None:
            self._keep(found)

    def stand(self, family: frozenset[str], subject: str) -> None:
        """Still there, but it had no turn to be looked up: it neither counts nor is forgotten."""
        found = self._remembered(family, subject)
        if found is not None:
            self._keep(replace(found, last_seen_at=max(self._now, found.last_seen_at)))

    def stands_confirmed(self, kind: str, subject: str, *, saying: str, confirmations: int) -> bool:
        """Whether this very verdict was confirmed before; then it stands, and counts no further."""
        found = self._by_subject.get((_family_of(kind), subject))
        if found is None or not self._is_recent(found):
            return False
        if (found.key.kind, found.saying) != (kind, saying) or found.count < confirmations:
            return False
        self._keep(replace(found, last_seen_at=max(self._now, found.last_seen_at)))
        return True

    def forget(self, family: frozenset[str], subject: str) -> None:
        """Both sides were seen to agree: what was suspected is over, however partial the look."""
        self._agreed.add((_family_of(next(iter(family))), subject))

    def note_tried(self, subject: str) -> None:
        """A lookup was made for this order just now."""
        suspicion = self._after.get((_ORDER, subject))
        if suspicion is not None:
            self._keep(replace(suspicion, tried_at=self._now))

    def changes(
        self, *, settled: Iterable[str]
    ) -> tuple[tuple[Suspicion, ...], tuple[SuspicionKey, ...]]:
        """Rows to write and keys to drop. `settled`: kinds that this pass judged in full, whose
        unseen suspicions are over; the others stay as they were.
        """
        over = set(settled)
        keep = tuple(
            s
            for s in self._after.values()
            if self._is_news(s, self._before.get((s.key.kind, s.key.subject)))
        )
        drop = tuple(s.key for s in self._before.values() if self._is_over(s, over))
        return keep, drop

    def _is_over(self, before: Suspicion, settled: set[str]) -> bool:
        """Another verdict took its place, or it was not reached by a pass that judged in full."""
        after = self._after.get(_place_of(before))
        if after is None and _place_of(before) in self._agreed:
            return True
        return after.key != before.key if after is not None else before.key.kind in settled

    def _keep(self, suspicion: Suspicion) -> Suspicion:
        self._after[_place_of(suspicion)] = suspicion
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


def _place_of(suspicion: Suspicion) -> tuple[str, str]:
    return _family_of(suspicion.key.kind), suspicion.key.subject


def _family_of(kind: str) -> str:
    """Kinds outside both families stand alone."""
    if kind in ORDER_FAMILY:
        return _ORDER
    return "position" if kind in POSITION_FAMILY else kind
