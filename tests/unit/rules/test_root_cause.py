"""The root cause draft: each category from its facts, and none where none speaks."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.auth_probes import AuthClass
from reconciler.domain.incidents import IncidentKind
from reconciler.domain.orders import OrderSide, OrderState
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import AnswerKind
from reconciler.rules.root_cause import Category, CauseFacts, weigh_causes
from tests.unit.builders import NOW, book_order, failure, venue_order

Kind = IncidentKind
FRESH = NOW - timedelta(minutes=1)
OLD = NOW - timedelta(hours=3)


def order(state: OrderState = OrderState.OPEN, **more: Any) -> Any:
    return replace(book_order(state=state), **({"updated_at": FRESH} | more))


def facts(kind: IncidentKind = Kind.GHOST_POSITION, **more: Any) -> CauseFacts:
    return CauseFacts(kind=kind, opened_at=NOW, **more)


CASES: list[tuple[str, CauseFacts, Category]] = [
    (
        "an exit was rejected",
        facts(
            side=PositionSide.SHORT,
            orders=(order(OrderState.REJECTED, reduce_only=True),),
        ),
        Category.REJECTED_EXIT,
    ),
    (
        "an exit is known by its side where the book tells no role",
        facts(
            side=PositionSide.SHORT,
            orders=(order(OrderState.REJECTED, side=OrderSide.BUY),),
        ),
        Category.REJECTED_EXIT,
    ),
    (
        "the venue was away, and an order was never acknowledged",
        facts(orders=(order(OrderState.IN_FLIGHT, venue_order_id=None),), outages=("down",)),
        Category.EXCHANGE_TIMEOUT,
    ),
    (
        "a call timed out",
        facts(
            Kind.ORDER_QUARANTINED,
            reason="never_seen",
            failures=(failure(AnswerKind.NO_ANSWER),),
        ),
        Category.EXCHANGE_TIMEOUT,
    ),
    (
        "the venue forgets",
        facts(Kind.ORDER_QUARANTINED, reason="forgotten"),
        Category.FORGOTTEN_ORDER,
    ),
    ("nobody's symbol", facts(), Category.MANUAL_TRADE),
    (
        "a fill was missed",
        facts(Kind.UNAWARE_FILL, orders=(order(),), fills=2),
        Category.MISSED_FILL,
    ),
    (
        "an order lacks just what the position has more",
        facts(
            venue_qty=Decimal(2),
            book_qty=Decimal(0),
            orders=(order(qty=Decimal(2), filled=Decimal(0), role="entry"),),
        ),
        Category.MISSED_FILL,
    ),
    ("a wrong key", facts(Kind.MASS_CHANGE, others_like_it=2), Category.KEY_OR_SUB_ACCOUNT),
    ("the key is refused", facts(Kind.VENUE_AUTH), Category.KEY_OR_SUB_ACCOUNT),
    (
        "the book was not kept",
        facts(Kind.PHANTOM_POSITION, orders=(order(OrderState.FILLED, updated_at=OLD),)),
        Category.STALE_LOCAL_STATE,
    ),
    *(
        (
            f"sign-in is called {cause}",
            facts(Kind.AUTH_FAILURE, sign_in=cause, sign_in_facts=("a fact", "another")),
            category,
        )
        for cause, category in (
            (AuthClass.CONFIG, Category.SIGN_IN_CONFIG),
            (AuthClass.INFRA, Category.SIGN_IN_INFRA),
            (AuthClass.APP_REGRESSION, Category.SIGN_IN_REGRESSION),
            (AuthClass.INCONCLUSIVE, Category.NOT_KNOWN),
        )
    ),
    ("nothing speaks", facts(Kind.CLOCK_SKEW), Category.NOT_KNOWN),
]


@pytest.mark.parametrize(("says", "given_facts", "category"), CASES, ids=[c[0] for c in CASES])
def test_the_likeliest_category(says: str, given_facts: CauseFacts, category: Category) -> None:
    first, *_ = weigh_causes(given_facts)
    assert first.category is category, (says, first)
    assert first.supports


def test_every_category_has_a_case() -> None:
    assert {category for _, _, category in CASES} == set(Category)


def test_facts_against_are_told_too() -> None:
    causes = weigh_causes(facts(orders=(order(role="entry"),), side=PositionSide.SHORT))
    manual = [c for c in causes if c.category is Category.MANUAL_TRADE]
    assert manual == [], "nothing speaks for a person's trade"
    told = weigh_causes(facts(orders=(order(),), venue_orders=(venue_order(client_id=None),)))
    [manual_trade] = [c for c in told if c.category is Category.MANUAL_TRADE]
    assert manual_trade.contradicts


@given(
    kind=st.sampled_from(IncidentKind),
    reason=st.sampled_from([None, "forgotten", "never_seen", "unidentifiable", "by_hand"]),
    states=st.lists(st.sampled_from(OrderState), max_size=4),
    fills=st.integers(0, 3),
    outages=st.lists(st.text(max_size=5), max_size=2),
)
def test_it_is_total_and_ordered(
    kind: IncidentKind, reason: str | None, states: list[OrderState], fills: int, outages: list[str]
) -> None:
    causes = weigh_causes(
        facts(
            kind,
            reason=reason,
            orders=tuple(order(state) for state in states),
            fills=fills,
            outages=tuple(outages),
            venue_qty=Decimal(1),
            book_qty=Decimal(0),
        )
    )
    assert causes
    assert all(cause.supports for cause in causes)
    known = [c.weight for c in causes if c.category is not Category.NOT_KNOWN]
    assert known == sorted(known, reverse=True)
    unknown = causes[0].category is Category.NOT_KNOWN
    assert unknown is (not known or known[0] <= 0)
