"""What each venue's answer about a key means: the samples of the venues' documentation."""

from typing import Any

import ccxt
import pytest

from reconciler.venue.descriptions import DESCRIBED
from reconciler.venue.descriptions.key_rights import ALWAYS_TRADE, KEY_RIGHTS, NO_KEY
from reconciler.venue.key_rights import KeyRights, rights_in

BINANCE = {
    "ipRestrict": False,
    "createTime": 1698645219000,
    "enableInternalTransfer": False,
    "enableFutures": False,
    "enablePortfolioMarginTrading": False,
    "enableVanillaOptions": False,
    "permitsUniversalTransfer": False,
    "enableReading": True,
    "enableSpotAndMarginTrading": False,
    "enableWithdrawals": False,
    "enableMargin": False,
}


def _bybit(read_only: int, **permissions: list[str]) -> dict[str, Any]:
    return {"retCode": 0, "result": {"readOnly": read_only, "permissions": permissions}}


def _gate(key: str, *rights: tuple[str, bool]) -> list[dict[str, Any]]:
    other = {"key": "other", "perms": [{"name": "withdraw", "read_only": False}]}
    return [other, {"key": key, "perms": [{"name": n, "read_only": r} for n, r in rights]}]


CASES: list[tuple[str, Any, KeyRights | None]] = [
    ("binance", BINANCE, KeyRights()),
    (
        "binanceusdm",
        BINANCE | {"enableFutures": True, "enableWithdrawals": True, "enableNews": True},
        KeyRights(
            trades=("enableFutures",), withdraws=("enableWithdrawals",), others=("enableNews",)
        ),
    ),
    ("binance", {}, None),
    ("binance", [], None),
    ("binance", None, None),
    ("binance", BINANCE | {"enableFutures": "maybe"}, None),
    ("bybit", _bybit(1, ContractTrade=["Order"], Wallet=["Withdraw"]), KeyRights()),
    (
        "bybit",
        _bybit(0, ContractTrade=["Order", "Position"], Spot=["SpotTrade"], Wallet=["Withdraw"]),
        KeyRights(trades=("Order", "Position", "SpotTrade"), withdraws=("Withdraw",)),
    ),
    ("bybit", _bybit(0, Wallet=["AccountTransfer"]), KeyRights(moves=("AccountTransfer",))),
    ("bybit", {"result": {}}, None),
    ("okx", {"code": "0", "data": [{"perm": "read_only"}]}, KeyRights()),
    (
        "okx",
        {"code": "0", "data": [{"perm": "read_only,withdraw,trade"}]},
        KeyRights(trades=("trade",), withdraws=("withdraw",)),
    ),
    ("okx", {"code": "0", "data": []}, None),
    ("kucoin", {"data": {"permission": "General"}}, KeyRights()),
    (
        "kucoinfutures",
        {"data": {"permission": "General,Futures,Spot,Earn,InnerTransfer,Transfer,Margin"}},
        KeyRights(
            trades=("Earn", "Futures", "Margin", "Spot"),
            withdraws=("Transfer",),
            moves=("InnerTransfer",),
        ),
    ),
    ("gate", _gate("k", ("spot", True), ("wallet", True)), KeyRights()),
    (
        "gate",
        _gate("k", ("futures", False), ("wallet", False), ("spot", True)),
        KeyRights(trades=("futures",), moves=("wallet",)),
    ),
    ("gate", _gate("***"), None),
    ("bitget", {"data": {"authorities": ["readonly"]}}, KeyRights()),
    ("bitget", {"data": {"authorities": ["coor", "cpor", "stor"]}}, KeyRights()),
    (
        "bitget",
        {"data": {"authorities": ["coow", "stow", "trade", "xyz"]}},
        KeyRights(trades=("coow", "stow", "trade"), others=("xyz",)),
    ),
    ("kraken", {"result": {"permissions": ["query-funds", "query-open-trades"]}}, KeyRights()),
    (
        "kraken",
        {"result": {"permissions": ["query-funds", "withdraw-funds", "modify-trades"]}},
        KeyRights(trades=("modify-trades",), withdraws=("withdraw-funds",)),
    ),
    ("kraken", {"error": ["EGeneral:Permission denied"]}, None),
    ("coinbase", {"can_view": True, "can_trade": False, "can_transfer": False}, KeyRights()),
    (
        "coinbase",
        {"can_view": True, "can_trade": True, "can_transfer": True, "portfolio_uuid": "x"},
        KeyRights(trades=("can_trade",), withdraws=("can_transfer",)),
    ),
    (
        "deribit",
        {"result": [{"client_id": "k", "max_scope": "account:read trade:read wallet:read"}]},
        KeyRights(),
    ),
    (
        "deribit",
        {"result": [{"client_id": "k", "max_scope": "trade:read_write wallet:read_write"}]},
        KeyRights(trades=("trade:read_write",), withdraws=("wallet:read_write",)),
    ),
    ("deribit", {"result": [{"client_id": "other", "max_scope": "trade:read"}]}, None),
]


@pytest.mark.parametrize(("venue", "answer", "rights"), CASES)
def test_an_answer(venue: str, answer: Any, rights: KeyRights | None) -> None:
    assert rights_in(KEY_RIGHTS[venue], answer, "k") == rights


@pytest.mark.parametrize("venue", KEY_RIGHTS)
def test_ccxt_has_the_call_and_it_is_a_question(venue: str) -> None:
    call = KEY_RIGHTS[venue]
    assert callable(getattr(getattr(ccxt, venue)(), call.method))
    assert "Get" in call.method


@pytest.mark.parametrize("venue", KEY_RIGHTS)
def test_each_venue_has_an_answer_that_only_reads_and_one_that_trades(venue: str) -> None:
    same = {"binancecoinm": "binance", "binanceusdm": "binance", "kucoinfutures": "kucoin"}
    answers = [
        rights
        for name, _, rights in CASES
        if same.get(name, name) == same.get(venue, venue) and rights is not None
    ]
    assert any(rights.only_reads for rights in answers)
    assert any(rights.trades for rights in answers)


def test_every_described_venue_is_known_to_tell_or_not() -> None:
    silent = {"mexc", "krakenfutures"}
    assert set(KEY_RIGHTS) | NO_KEY | ALWAYS_TRADE | silent == set(DESCRIBED)
