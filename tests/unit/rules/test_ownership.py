"""Whose orders and positions are ours on an account that others may share."""

import pytest

from reconciler.domain.identity import Symbol
from reconciler.rules.ownership import Ownership
from tests.unit.builders import BTC, ETH, venue_order

ADA = Symbol("ADA/USDT:USDT")
XRP = Symbol("XRP/USDT:USDT")


@pytest.mark.parametrize(
    ("ownership", "symbol", "covered"),
    [
        (Ownership(), BTC, True),
        (Ownership(symbols=frozenset({BTC})), BTC, True),
        (Ownership(symbols=frozenset({BTC})), ETH, False),
        (Ownership(symbols=frozenset()), BTC, False),
        (Ownership(ignored_symbols=frozenset({BTC})), BTC, False),
        (Ownership(ignored_symbols=frozenset({BTC})), ETH, True),
        (Ownership(symbols=frozenset({BTC}), ignored_symbols=frozenset({BTC})), BTC, False),
    ],
)
def test_which_symbols_are_judged(ownership: Ownership, symbol: Symbol, *, covered: bool) -> None:
    assert ownership.covers(symbol) is covered


@pytest.mark.parametrize(
    ("ownership", "client_id", "owned"),
    [
        (Ownership(), None, True),
        (Ownership(), "manual", True),
        (Ownership(client_order_id_prefix=""), None, True),
        (Ownership(client_order_id_prefix="bot-"), "bot-1", True),
        (Ownership(client_order_id_prefix="bot-"), "my-bot-1", False),
        (Ownership(client_order_id_prefix="bot-"), "BOT-1", False),
        (Ownership(client_order_id_prefix="bot-"), None, False),
        (Ownership(ignored_order_ids=frozenset({"v1"})), "bot-1", False),
        (Ownership(ignored_order_ids=frozenset({"v2"})), "bot-1", True),
        (Ownership(symbols=frozenset({ETH})), "bot-1", False),
        (Ownership(ignored_symbols=frozenset({BTC})), "bot-1", False),
    ],
)
def test_which_orders_may_be_called_orphans(
    ownership: Ownership, client_id: str | None, *, owned: bool
) -> None:
    assert ownership.owns(venue_order("v1", client_id=client_id, symbol=BTC)) is owned


def test_left_out_is_what_the_allow_list_lacks_and_nobody_ignores() -> None:
    ownership = Ownership(symbols=frozenset({BTC}), ignored_symbols=frozenset({ETH}))
    assert ownership.left_out([XRP, ETH, BTC, XRP, ADA]) == (ADA, XRP)


def test_without_an_allow_list_nothing_is_left_out() -> None:
    assert Ownership(ignored_symbols=frozenset({ETH})).left_out([BTC, ETH]) == ()
