"""Rule 7: what an operator may have done, and when a ghost is large enough to advise it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.identity import AccountName
from reconciler.domain.orders import OrderState, VenueOrder
from reconciler.domain.positions import Conversion, VenuePosition
from reconciler.domain.snapshot import Completeness, Found, Lookup
from reconciler.domain.verdicts import PositionVerdict
from reconciler.domain.verdicts import PositionVerdictKind as Kind
from reconciler.rules.policy import (
    ActingPolicy,
    Closing,
    Unexplained,
    find_breach,
    plan_cancelling,
    plan_closing,
)
from tests.unit.builders import (
    BTC,
    LONG,
    NOW,
    SHORT,
    book_order,
    book_position,
    not_found,
    reading,
    snapshot,
    unanswered,
    venue_order,
    venue_position,
)

POLICY = ActingPolicy(close_ghosts=True, close_max_notional=Decimal(1_000_000))
GHOST = Unexplained(
    kind=Kind.GHOST_POSITION, symbol=BTC, side=LONG, opened_at=NOW - timedelta(minutes=1)
)
MAIN = AccountName("main")


def _held(qty: str = "2", **more: Any) -> VenuePosition:
    return replace(venue_position(qty=qty, mark="60000"), **more)


def _plan(
    *held: VenuePosition,
    policy: ActingPolicy = POLICY,
    step: str | None = "0.001",
    scope: Completeness | None = Completeness.COMPLETE,
    position: Unexplained = GHOST,
    **rows: Any,
) -> Closing | str:
    return plan_closing(
        position,
        reading=reading(**rows),
        snapshot=snapshot(positions=held, positions_scope=scope, step=step),
        now=NOW,
        policy=policy,
    )


def _qty(plan: Closing | str) -> Decimal:
    assert isinstance(plan, Closing), plan
    return plan.qty


def test_all_of_it_where_the_cap_allows() -> None:
    plan = _plan(_held("2"))
    assert isinstance(plan, Closing)
    assert (plan.qty, plan.notional, plan.capped) == (Decimal(2), Decimal(120_000), False)


@pytest.mark.parametrize(
    ("held", "cap", "step", "qty"),
    [
        ("2", "60000", "0.001", "1"),
        ("2", "60059.99", "0.001", "1"),  # 1.000999…: down to the step, never up
        ("2", "60060", "0.001", "1.001"),
        ("1.9999", "1000000", "0.001", "1.999"),  # dust of the position stays
        ("2", "120000", "0.001", "2"),
        ("3", "150000", "1", "2"),
    ],
)
def test_down_to_the_step_within_the_cap(held: str, cap: str, step: str, qty: str) -> None:
    policy = replace(POLICY, close_max_notional=Decimal(cap))
    assert _qty(_plan(_held(held), policy=policy, step=step)) == Decimal(qty)


@pytest.mark.parametrize("cap", ["0.001", "1", "59.99", "1234.5", "77777.77", "10000000"])
@pytest.mark.parametrize("held", ["0.0017", "0.1", "3.14159", "12"])
def test_never_more_than_position_or_cap(held: str, cap: str) -> None:
    policy = replace(POLICY, close_max_notional=Decimal(cap))
    plan = _plan(_held(held), policy=policy)
    if isinstance(plan, Closing):
        assert Decimal(0) < plan.qty <= Decimal(held)
        assert plan.qty * Decimal(60_000) <= Decimal(cap)
        assert plan.qty % Decimal("0.001") == 0


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (_plan(), "holds no long"),
        (_plan(_held(side=SHORT)), "holds no long"),
        (_plan(_held(), scope=Completeness.PARTIAL), "did not list its positions in full"),
        (_plan(_held(), scope=Completeness.FAILED), "did not list its positions in full"),
        (_plan(_held(), scope=None), "no positions are listed"),
        (_plan(_held(), step=None), "step is not known"),
        (_plan(_held(mark_price=None)), "does not say its mark price"),
        (_plan(_held(conversion=Conversion.BY_ENTRY_PRICE)), "inverse contract"),
        (_plan(_held(), policy=replace(POLICY, close_max_notional=Decimal(59))), "one step"),
        (_plan(_held(), policy=ActingPolicy(close_ghosts=True)), "close_max_notional is not set"),
        (_plan(_held(), positions=[book_position(qty="2")]), "no ghost_position any more"),
        (_plan(_held(), positions=[book_position(qty="1")]), "no ghost_position any more"),
        (_plan(_held(), positions=[book_position(qty="2", side=SHORT)]), "no ghost_position any"),
        (_plan(_held(), stray_positions=[book_position(qty="2")]), "cannot be judged now"),
        (_plan(_held(), position=replace(GHOST, kind=Kind.SIDE_MISMATCH)), "no side_mismatch"),
    ],
)
def test_why_nothing_is_closed(plan: Closing | str, why: str) -> None:
    assert isinstance(plan, str)
    assert why in plan


def test_a_wrong_side_with_an_open_row_of_its_own_is_left_to_people() -> None:
    rows = [book_position(qty="1"), book_position(SHORT, "3", row_id="b2", profile="p2")]
    wrong = replace(GHOST, kind=Kind.SIDE_MISMATCH)
    assert "the book has long" in str(_plan(_held("2"), position=wrong, positions=rows))
    assert _qty(_plan(_held("2"), position=wrong, positions=rows[1:])) == Decimal(2)


def test_rows_that_changed_just_now_explain_it_for_five_windows() -> None:
    touched = [book_order(state=OrderState.FILLED, touched=timedelta(seconds=5))]
    assert "changed just now" in str(_plan(_held(), orders=touched))
    old = replace(GHOST, opened_at=NOW - timedelta(minutes=10))
    assert _qty(_plan(_held(), orders=touched, position=old)) == Decimal(2)


def _verdict(kind: Kind, notional: str | None) -> PositionVerdict:
    return PositionVerdict(
        kind=kind,
        symbol=BTC,
        side=LONG,
        venue_qty=Decimal(1),
        book_qty=Decimal(0),
        notional=Decimal(notional) if notional is not None else None,
        profile_ids=(),
        reason="",
    )


@pytest.mark.parametrize(
    ("kind", "notional", "threshold", "breached"),
    [
        (Kind.GHOST_POSITION, "100", "100", True),
        (Kind.GHOST_POSITION, "99.99", "100", False),
        (Kind.GHOST_POSITION, "100", None, False),
        (Kind.GHOST_POSITION, None, "100", False),
        (Kind.GHOST_POSITION, "0", "0", True),
        (Kind.QUANTITY_MISMATCH, "1000", "100", False),
    ],
)
def test_the_threshold(
    kind: Kind, notional: str | None, threshold: str | None, breached: bool
) -> None:
    found = find_breach(
        _verdict(kind, notional),
        account=MAIN,
        threshold=Decimal(threshold) if threshold is not None else None,
    )
    assert (found is not None) is breached
    if found is not None:
        assert found.details["breached"] is True
        assert found.advice == f"reconciler positions close main {BTC} long --by WHO --note T"


def _cancelling(
    lookup: Lookup, *, state: OrderState = OrderState.CANCELING, cap: str | None = None
) -> VenueOrder | str:
    policy = ActingPolicy(cancel_max_notional=Decimal(cap) if cap is not None else None)
    return plan_cancelling(order=book_order(state=state), lookup=lookup, policy=policy)


def test_a_live_order_whose_end_the_book_wants_is_cancelled() -> None:
    live = venue_order(state=OrderState.OPEN)
    assert _cancelling(Found(order=live, by="venue_order_id")) is live


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (_cancelling(unanswered()), "did not answer"),
        (_cancelling(not_found()), "does not know it"),
        (
            _cancelling(Found(order=venue_order(state=OrderState.FILLED), by="x")),
            "not live at the venue",
        ),
        (
            _cancelling(Found(order=venue_order(state=OrderState.UNMAPPED), by="x")),
            "not live at the venue",
        ),
        (
            _cancelling(
                Found(order=venue_order(state=OrderState.OPEN), by="x"), state=OrderState.OPEN
            ),
            "being cancelled any more",
        ),
        (
            _cancelling(
                Found(order=replace(venue_order(state=OrderState.OPEN), price=None), by="x"),
                cap="1",
            ),
            "price is not known",
        ),
        (
            _cancelling(
                Found(
                    order=replace(venue_order(state=OrderState.OPEN), price=Decimal(60_000)), by="x"
                ),
                cap="1",
            ),
            "more than policy.cancel_max_notional",
        ),
    ],
)
def test_why_nothing_is_cancelled(plan: VenueOrder | str, why: str) -> None:
    assert isinstance(plan, str)
    assert why in plan
