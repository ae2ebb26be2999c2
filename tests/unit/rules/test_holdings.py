"""Spot holdings: unattributed or not; nothing else is ever said of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.book import BookReading, UnreadableRow
from reconciler.domain.identity import Asset, Symbol
from reconciler.domain.incidents import IncidentKind
from reconciler.domain.memory import Baseline
from reconciler.domain.positions import Market, VenueBalance
from reconciler.domain.snapshot import Completeness, Scope, ScopeName, Snapshot
from reconciler.domain.verdicts import HoldingVerdict, HoldingVerdictKind, PositionVerdictKind
from reconciler.rules.ghost_positions import PositionLimits, judge_positions
from reconciler.rules.holdings import first_baselines, judge_holdings, newly_traded
from reconciler.rules.ownership import Ownership
from tests.unit.builders import (
    LONG,
    NOW,
    SHORT,
    book_order,
    book_position,
    failure,
    reading,
    snapshot,
    venue_position,
)
from tests.unit.rules.judging import GRACE

COIN, QUOTE = Asset("BTC"), Asset("USDT")
SPOT, OTHER = Symbol("BTC/USDT"), Symbol("BTC/EUR")
LINEAR, INVERSE = Symbol("ETH/USDT:USDT"), Symbol("BTC/USD:BTC")
PARITY, UNATTRIBUTED = HoldingVerdictKind.IN_PARITY, HoldingVerdictKind.UNATTRIBUTED
NOT_JUDGED = HoldingVerdictKind.NOT_JUDGED
LIMITS = PositionLimits(grace=GRACE, tolerance_notional=Decimal(1))


def market(symbol: Symbol, *, spot: bool = True, settle: Asset | None = None) -> Market:
    base = Asset(symbol.partition("/")[0])
    return Market(
        symbol=symbol,
        venue_id=symbol,
        qty_step=Decimal("0.0001"),
        base=base,
        settle=settle,
        held_as_balance=spot,
    )


MARKETS = {
    SPOT: market(SPOT),
    OTHER: market(OTHER),
    LINEAR: market(LINEAR, spot=False, settle=QUOTE),
}


def balances(
    total: str | Decimal = "0",
    *,
    completeness: Completeness = Completeness.COMPLETE,
    markets: Mapping[Symbol, Market] = MARKETS,
) -> Snapshot:
    """A venue that has so many coins."""
    is_complete = completeness is Completeness.COMPLETE
    scope = Scope(
        name=ScopeName.BALANCES,
        completeness=completeness,
        failure=None if is_complete else failure(),
    )
    held = Decimal(total)
    return replace(
        snapshot(),
        scopes={**snapshot().scopes, ScopeName.BALANCES: scope},
        balances=(VenueBalance(asset=COIN, total=held),) if held else (),
        markets=markets,
    )


def baseline(qty: str = "0", symbol: Symbol | None = SPOT) -> dict[Asset, Baseline]:
    return {COIN: Baseline(asset=COIN, qty=Decimal(qty), symbol=symbol)}


def rows(*quantities: str, symbol: Symbol = SPOT) -> BookReading:
    return reading(
        positions=[
            book_position(qty=qty, row_id=f"b{number}", symbol=symbol)
            for number, qty in enumerate(quantities)
        ]
    )


def judge(
    book: BookReading,
    venue: Snapshot,
    known: Mapping[Asset, Baseline] | None = None,
    *,
    changed_at: Mapping[Symbol, datetime] | None = None,
    first_seen: Mapping[Asset, datetime] | None = None,
    ownership: Ownership | None = None,
) -> tuple[HoldingVerdict, ...]:
    return judge_holdings(
        reading=book,
        snapshot=venue,
        ownership=ownership or Ownership(),
        baselines=known or {},
        changed_at=changed_at or {},
        first_seen=first_seen or {},
        now=NOW,
        limits=LIMITS,
    )


@pytest.mark.parametrize(
    ("total", "base", "open_rows", "kind"),
    [
        ("1", "0", ["1"], PARITY),
        ("1.5", "0.5", ["1"], PARITY),
        ("3", "0", ["1", "2"], PARITY),
        ("0", "0", ["1"], UNATTRIBUTED),
        ("2", "0", ["1"], UNATTRIBUTED),
        ("1", "0.5", ["1"], UNATTRIBUTED),
        # fees that were taken in coins: 0.25 % at most, and never more coins than were bought
        ("0.9975", "0", ["1"], PARITY),
        ("0.9974", "0", ["1"], UNATTRIBUTED),
        ("1.0025", "0", ["1"], UNATTRIBUTED),
        # less than a step
        ("1.00009", "0", ["1"], PARITY),
        ("1.0001", "0", ["1"], UNATTRIBUTED),
        # closed: what is left behind
        ("0", "0", [], PARITY),
        ("0.5", "0.5", [], PARITY),
        ("0.6", "0.5", [], UNATTRIBUTED),
    ],
)
def test_total_less_baseline_is_what_the_book_has_open(
    total: str, base: str, open_rows: list[str], kind: HoldingVerdictKind
) -> None:
    [verdict] = judge(rows(*open_rows), balances(total), baseline(base))
    assert verdict.kind is kind, verdict
    assert verdict.asset == COIN
    assert verdict.difference == Decimal(total) - Decimal(base) - sum(map(Decimal, open_rows))
    if kind is UNATTRIBUTED:
        assert f"{abs(verdict.difference):f}" in verdict.reason


def test_a_little_money_is_forgiven_where_an_order_names_a_price() -> None:
    priced = replace(book_order(symbol=SPOT), price=Decimal(10))
    book = replace(rows("1"), orders=(priced,))
    assert [v.kind for v in judge(book, balances("1.1"))] == [PARITY]
    assert [v.kind for v in judge(book, balances("1.2"))] == [UNATTRIBUTED]


def test_all_markets_of_a_coin_count_together() -> None:
    book = reading(
        positions=[book_position(symbol=SPOT), book_position(symbol=OTHER, row_id="b2", qty="2")]
    )
    assert [v.kind for v in judge(book, balances("3"))] == [PARITY]


def test_what_the_bot_never_traded_is_not_judged() -> None:
    assert judge(reading(), balances("5"), baseline("1", symbol=None)) == ()
    assert judge(rows("1", symbol=LINEAR), balances("5")) == ()
    ignoring = Ownership(ignored_symbols=frozenset({SPOT}))
    assert judge(rows("1"), balances("5"), baseline("1"), ownership=ignoring) == ()


@pytest.mark.parametrize("completeness", [Completeness.PARTIAL, Completeness.FAILED])
def test_nothing_follows_from_less_than_all_balances(completeness: Completeness) -> None:
    assert judge(rows("1"), balances("0", completeness=completeness)) == ()
    assert judge(rows("1"), snapshot()) == ()


def test_profits_of_contracts_are_not_told_from_deposits() -> None:
    inverse = {**MARKETS, INVERSE: market(INVERSE, spot=False, settle=COIN)}
    assert judge(rows("1"), balances("5", markets=inverse)) == ()


@pytest.mark.parametrize(
    "book",
    [
        replace(
            rows("1"),
            unreadable=(UnreadableRow(table="positions", id="x", why="odd", symbol=None),),
        ),
        replace(
            rows("1"),
            unreadable=(UnreadableRow(table="positions", id="x", why="odd", symbol=OTHER),),
        ),
        replace(rows("1"), stray_positions=(book_position(symbol=OTHER, row_id="s"),)),
        reading(positions=[book_position(symbol=SPOT), book_position(symbol=Symbol("BTCDAI"))]),
        reading(positions=[book_position(symbol=SPOT), book_position(SHORT, symbol=OTHER)]),
    ],
    ids=["unreadable", "unreadable_of_it", "stray", "no_market", "short"],
)
def test_a_book_that_may_say_otherwise_is_not_judged(book: BookReading) -> None:
    assert [v.kind for v in judge(book, balances("7"))] == [NOT_JUDGED]


def test_a_row_of_another_coin_raises_no_doubt() -> None:
    odd = UnreadableRow(table="positions", id="x", why="odd", symbol=LINEAR)
    book = replace(rows("1"), unreadable=(odd,))
    assert [v.kind for v in judge(book, balances("7"))] == [UNATTRIBUTED]


def test_a_change_of_the_book_explains_for_five_windows() -> None:
    changed = {SPOT: NOW - GRACE / 2}
    [fresh] = judge(rows("1"), balances("0"), changed_at=changed)
    assert (fresh.kind, fresh.explained_by_change) == (UNATTRIBUTED, True)
    long_ago = {COIN: NOW - 6 * GRACE}
    [old] = judge(rows("1"), balances("0"), changed_at=changed, first_seen=long_ago)
    assert not old.explained_by_change
    [still] = judge(rows("1"), balances("0"), changed_at={SPOT: NOW - timedelta(hours=1)})
    assert not still.explained_by_change


def test_the_first_baseline_is_what_the_book_does_not_explain() -> None:
    venue = replace(
        balances("1.5"),
        balances=(
            VenueBalance(asset=COIN, total=Decimal("1.5")),
            VenueBalance(asset=QUOTE, total=Decimal(100)),
        ),
    )
    taken = first_baselines(reading=rows("1"), snapshot=venue, ownership=Ownership())
    assert [(b.asset, b.qty, b.symbol) for b in taken] == [
        (COIN, Decimal("0.5"), SPOT),
        (QUOTE, Decimal(100), None),
    ]
    [short] = first_baselines(reading=rows("2"), snapshot=balances("0"), ownership=Ownership())
    assert (short.qty, short.symbol) == (Decimal(0), SPOT)


def test_a_coin_is_remembered_from_its_first_trade() -> None:
    def news(known: Mapping[Asset, Baseline]) -> tuple[Baseline, ...]:
        return newly_traded(
            reading=rows("1"), snapshot=balances("1"), ownership=Ownership(), baselines=known
        )

    assert [(b.qty, b.symbol) for b in news({})] == [(Decimal(0), SPOT)]
    assert [(b.qty, b.symbol) for b in news(baseline("2", symbol=None))] == [(Decimal(2), SPOT)]
    assert news(baseline("2")) == ()


# Against positions.


def positions(book: BookReading, venue: Snapshot) -> list[PositionVerdictKind]:
    verdicts = judge_positions(
        reading=book,
        snapshot=venue,
        ownership=Ownership(),
        changed_at={},
        first_seen={},
        now=NOW,
        limits=LIMITS,
    )
    return [verdict.kind for verdict in verdicts]


def test_coins_are_never_a_phantom_position() -> None:
    assert positions(rows("1"), balances("0")) == []
    assert positions(rows("1", symbol=LINEAR), balances("0")) == [
        PositionVerdictKind.PHANTOM_POSITION
    ]


def test_a_margin_position_is_judged_as_one_and_not_as_coins() -> None:
    venue = replace(balances("0"), positions=(venue_position(LONG, "1", symbol=SPOT),))
    assert positions(rows("1"), venue) == [PositionVerdictKind.IN_PARITY]
    assert judge(rows("1"), venue) == ()
    assert positions(reading(), venue) == [PositionVerdictKind.GHOST_POSITION]


def test_no_incident_and_no_containment_can_come_of_it() -> None:
    assert UNATTRIBUTED.value not in set(IncidentKind)
    assert UNATTRIBUTED.value not in set(PositionVerdictKind)


quantities = st.decimals(0, 1000, places=4)


@given(total=quantities, open_rows=st.lists(quantities, max_size=4))
def test_the_first_baseline_never_finds_too_much(total: Decimal, open_rows: list[Decimal]) -> None:
    book, venue = rows(*map(str, open_rows)), balances(total)
    taken = {
        b.asset: b for b in first_baselines(reading=book, snapshot=venue, ownership=Ownership())
    }
    assert all(b.qty >= 0 for b in taken.values())
    assert all(v.difference <= 0 for v in judge(book, venue, taken))


@given(
    total=quantities, deposit=st.decimals("0.001", 1000, places=4), open_rows=st.lists(quantities)
)
def test_what_comes_or_goes_unexplained_is_unattributed(
    total: Decimal, deposit: Decimal, open_rows: list[Decimal]
) -> None:
    expected = sum(open_rows, Decimal(0))
    book = rows(*map(str, open_rows))
    known = baseline(str(total))
    assert {v.kind for v in judge(book, balances(total + expected), known)} <= {PARITY}
    assert {v.kind for v in judge(book, balances(total + expected + deposit), known)} == {
        UNATTRIBUTED
    }
    gone = deposit + expected * Decimal("0.0025")
    assert {v.kind for v in judge(book, balances(total + expected - gone), known)} == {UNATTRIBUTED}
