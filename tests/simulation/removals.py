"""One rule removed at a time, in the simulation only: each must be caught by the judge."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from unittest import mock

from reconciler.cycle import (
    account_cycle,
    containment,
    looking,
    order_stage,
    order_writes,
    position_stage,
)
from reconciler.cycle.judging import Judging
from reconciler.cycle.looking import Look
from reconciler.domain.book import BookReading
from reconciler.domain.orders import BookOrder, OrderUpdate
from reconciler.domain.snapshot import Completeness, Lookup, NotFound, Scope, Unanswered
from reconciler.rules import book_changes, ghost_positions, grace, order_status
from reconciler.rules.retention import MissingReason
from tests.simulation import store
from tests.simulation.book import MemoryBook
from tests.simulation.store import MemoryRecord
from tests.simulation.venue import WHOLE, VenueTwin

Patch = tuple[Any, str, Any]


def _same(judging: Judging) -> Judging:
    return judging


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A name, and what is put in the place of what."""

    name: str
    patches: tuple[Patch, ...] = ()
    judging: Callable[[Judging], Judging] = field(default=_same)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """For the time of one run."""
        with contextlib.ExitStack() as stack:
            for place, name, instead in self.patches:
                stack.enter_context(mock.patch.object(place, name, instead))
            yield


def _failed_is_empty(_: VenueTwin, scope: Scope) -> Scope:
    return WHOLE[scope.name] if scope.completeness is Completeness.FAILED else scope


def _partial_is_whole(_: VenueTwin, scope: Scope) -> Scope:
    return WHOLE[scope.name] if scope.completeness is Completeness.PARTIAL else scope


def _unanswered_is_not_found(_: VenueTwin, lookup: Lookup) -> Lookup:
    return NotFound(rungs=("none",)) if isinstance(lookup, Unanswered) else lookup


async def _not_asked(_: VenueTwin, __: BookOrder, **___: object) -> Lookup:
    return NotFound(rungs=())


async def _not_read_again(look: Look, _: object) -> BookReading:
    return look.reading


def _all_unmoved(_: BookReading, updates: Sequence[OrderUpdate]) -> list[OrderUpdate]:
    return list(updates)


async def _not_kept(_: MemoryRecord, **__: object) -> None:
    """Forgotten."""


async def _read_once(_: Look, verdicts: Any) -> Any:
    return verdicts


def _no_lease_check(transaction: Any, lease: Any) -> None:
    transaction.lease = lease


def _no_graces(judging: Judging) -> Judging:
    none = timedelta(0)
    return replace(
        judging,
        orders=replace(judging.orders, grace=none),
        positions=replace(judging.positions, grace=none),
    )


def _one_look(judging: Judging) -> Judging:
    return replace(judging, position_confirmations=1, order_confirmations=1)


def _no_day(judging: Judging) -> Judging:
    return replace(judging, orders=replace(judging.orders, quarantine_after=timedelta(0)))


async def _nothing_settled(_: Look) -> None:
    """Orders come later."""


_settle, _act = account_cycle._settle_orders, position_stage.act_on_positions


async def _positions_then_orders(look: Look, confirmed: Any) -> None:
    await _act(look, confirmed)
    await _settle(look)


def _always(value: object) -> Callable[..., Any]:
    return lambda *_, **__: value


REMOVALS = {
    r.name: r
    for r in (
        Removal(name="failed-is-empty", patches=((VenueTwin, "told", _failed_is_empty),)),
        Removal(name="partial-is-whole", patches=((VenueTwin, "told", _partial_is_whole),)),
        Removal(
            name="unanswered-is-not-found",
            patches=((VenueTwin, "answered", _unanswered_is_not_found),),
        ),
        Removal(name="no-lookups", patches=((VenueTwin, "look_up", _not_asked),)),
        Removal(name="no-grace", judging=_no_graces),
        Removal(name="no-five-windows", patches=((grace, "MAX_WINDOWS", 10**6),)),
        Removal(name="one-confirmation", judging=_one_look),
        Removal(
            name="no-second-reading",
            patches=(
                (containment, "_still_so", _always(True)),
                (order_writes, "_read_again", _not_read_again),
                (order_writes, "unmoved", _all_unmoved),
            ),
        ),
        Removal(name="no-guarded-update", patches=((MemoryBook, "is_as_seen", _always(True)),)),
        Removal(
            name="no-retention",
            patches=((order_status, "reason_missing", _always(MissingReason.NEVER_SEEN)),),
        ),
        Removal(name="no-24-hours", judging=_no_day),
        Removal(
            name="no-blast-radius",
            patches=(
                (order_stage, "why_not_infer_absence", _always(None)),
                (order_stage, "why_not_quarantine", _always(None)),
            ),
        ),
        Removal(name="no-lease-check", patches=((store, "hold", _no_lease_check),)),
        Removal(
            name="own-writes-explain",
            patches=((book_changes, "is_own_write", _always(False)),),
        ),
        Removal(
            name="legs-netted",
            patches=(
                (ghost_positions, "_account_mode", _always(False)),
                (ghost_positions._Sides, "hedged", property(_always(False))),
            ),
        ),
        Removal(
            name="suspicions-not-kept", patches=((MemoryRecord, "keep_suspicions", _not_kept),)
        ),
        Removal(name="positions-read-once", patches=((looking, "_read_twice", _read_once),)),
        Removal(
            name="orders-after-positions",
            patches=(
                (account_cycle, "_settle_orders", _nothing_settled),
                (account_cycle, "act_on_positions", _positions_then_orders),
            ),
        ),
    )
}
"""By name, as `--without` takes them."""
