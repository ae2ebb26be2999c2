"""Raw balance rows: all of a currency, or a row that cannot be read."""

from typing import Any

import pytest

from reconciler.domain.identity import Asset
from reconciler.venue.description import BalanceRow
from reconciler.venue.translate import NotUnderstoodError, balance_of_row

COINS = BalanceRow(asset="coin", parts=("free", "hold.value"), suffixes=(".F",))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"coin": "BTC", "free": "1.5", "hold": {"value": "0.5"}}, ("BTC", "2.0")),
        ({"coin": "XBT.F", "free": "1", "hold": {"value": 0}}, ("XBT", "1")),
        ({"coin": "BTC", "free": "-1", "hold": {"value": "0"}}, ("BTC", "-1")),
        ({"coin": "BTC", "free": "0.0", "hold": {"value": "0"}}, None),
    ],
)
def test_balances(row: Any, told: tuple[str, str] | None) -> None:
    balance = balance_of_row(row, fields=COINS, asset_of=Asset)
    assert (balance and (balance.asset, str(balance.total))) == told


@pytest.mark.parametrize(
    "row",
    [
        None,
        [],
        "BTC",
        {},
        {"coin": "", "free": "1", "hold": {"value": "0"}},
        {"coin": "BTC", "free": None, "hold": {"value": "0"}},
        {"coin": "BTC", "free": "1", "hold": "0"},
        {"coin": "BTC", "free": "NaN", "hold": {"value": "0"}},
    ],
)
def test_a_balance_of_nonsense_is_refused(row: Any) -> None:
    with pytest.raises(NotUnderstoodError):
        balance_of_row(row, fields=COINS, asset_of=Asset)
