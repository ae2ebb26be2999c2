"""What a freqtrade bot has traded in these tests, once for its own classes and once for judging.

All rows are hours old, so that no grace explains anything.
"""

import json
from typing import Any, Final

MISSING: Final = "8000000099"
"""An order that is open in freqtrade's tables, over a day old, and unknown to the venue."""

FUTURES: Final[list[dict[str, Any]]] = [
    {  # a long with a stop on the exchange
        "pair": "BTC/USDT:USDT",
        "orders": [
            {
                "id": "8000000001",
                "side": "buy",
                "amount": 0.5,
                "price": 60000.0,
                "status": "closed",
                "filled": 0.5,
                "hours": 5,
            },
            {
                "id": "8000000002",
                "side": "stoploss",
                "type": "stop_market",
                "amount": 0.5,
                "price": 50000.0,
                "stop": 50000.0,
                "status": "open",
                "filled": 0.0,
                "hours": 4,
            },
        ],
    },
    {  # a short that is half out: the exit is open, and has filled 0.75 of 2
        "pair": "ETH/USDT:USDT",
        "is_short": True,
        "orders": [
            {
                "id": "8000000003",
                "side": "sell",
                "amount": 2.0,
                "price": 3000.0,
                "status": "closed",
                "filled": 2.0,
                "hours": 5,
            },
            {
                "id": "8000000004",
                "side": "buy",
                "amount": 2.0,
                "price": 2900.0,
                "status": "open",
                "filled": 0.75,
                "hours": 4,
            },
        ],
    },
    {  # an entry that has filled nothing, of which the exchange told no status
        "pair": "BNB/USDT:USDT",
        "orders": [
            {
                "id": "8000000005",
                "side": "buy",
                "amount": 1.5,
                "price": 500.0,
                "status": None,
                "hours": 4,
            }
        ],
    },
    {  # an entry that has filled a part
        "pair": "XRP/USDT:USDT",
        "orders": [
            {
                "id": "8000000006",
                "side": "buy",
                "amount": 100.0,
                "price": 0.5,
                "status": "open",
                "filled": 30.0,
                "hours": 4,
            }
        ],
    },
    {  # over: it keeps its last amount
        "pair": "DOGE/USDT:USDT",
        "is_short": True,
        "orders": [
            {
                "id": "8000000007",
                "side": "sell",
                "amount": 900.0,
                "price": 0.12,
                "status": "closed",
                "filled": 900.0,
                "hours": 9,
            },
            {
                "id": "8000000008",
                "side": "buy",
                "type": "market",
                "amount": 900.0,
                "price": 0.11,
                "status": "closed",
                "filled": 900.0,
                "hours": 8,
            },
        ],
    },
    {  # entered by two orders, the first of them canceled half way; and an exit nobody knows of
        "pair": "SOL/USDT:USDT",
        "orders": [
            {
                "id": "8000000009",
                "side": "buy",
                "amount": 10.0,
                "price": 150.0,
                "status": "canceled",
                "filled": 4.0,
                "hours": 40,
            },
            {
                "id": "8000000010",
                "side": "buy",
                "amount": 6.0,
                "price": 151.0,
                "status": "closed",
                "filled": 6.0,
                "hours": 39,
            },
            {
                "id": MISSING,
                "side": "sell",
                "amount": 10.0,
                "price": 190.0,
                "status": "open",
                "filled": 0.0,
                "hours": 30,
            },
        ],
    },
]

SPOT: Final[list[dict[str, Any]]] = [
    {
        "pair": "BTC/USDT",
        "mode": "spot",
        "orders": [
            {
                "id": "9000000001",
                "side": "buy",
                "amount": 0.25,
                "price": 60000.0,
                "status": "closed",
                "filled": 0.25,
                "hours": 5,
            },
            {
                "id": "9000000002",
                "side": "sell",
                "amount": 0.25,
                "price": 70000.0,
                "status": "open",
                "filled": 0.1,
                "hours": 4,
            },
        ],
    },
]

HELD: Final = {
    "BTC/USDT:USDT": ("long", "0.5"),
    "ETH/USDT:USDT": ("short", "1.25"),
    "BNB/USDT:USDT": ("long", "0"),
    "XRP/USDT:USDT": ("long", "30"),
    "SOL/USDT:USDT": ("long", "10"),
    "BTC/USDT": ("long", "0.15"),
}
"""What the bot believes that it holds: fills of open orders included."""


def told_to_freqtrade() -> str:
    """The trades, for `freqtrade_writes.py`."""
    return json.dumps(FUTURES + SPOT)
