"""The made-up bot: three profiles on one account, written to the venue and to the book alike.

It keeps its book as a bot does: an order and the position it moves change in one transaction.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from random import Random

from reconciler.simulation.venue.ledger import Ledger
from reconciler.store.connecting import Connection, Pool, borrowed

ACCOUNT = "main"
TREND, GRID, SCALP = "trend", "grid", "scalp"
"""The profiles. SCALP traded SOL yesterday, so that a ghost in SOL is pinned on it alone."""

TRADE_EVERY = timedelta(seconds=8)
TRADE_QTY = Decimal("0.01")
"""Base units of BTC; about 600 USDT."""

_UNIFIED = {f"{base}USDT": f"{base}/USDT:USDT" for base in ("BTC", "ETH", "SOL", "XRP")}

_INSERT_ORDER = """
insert into bot.orders (id, profile_id, symbol, side, type, qty, filled, price, avg_price, role,
                        status, client_order_id, venue_order_id, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'entry', $10, $1, $11, now() - $12::interval,
        now() - $12::interval)
"""
_INSERT_POSITION = """
insert into bot.positions (id, profile_id, symbol, side, qty, entry_price, status, opened_at,
                           closed_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, now() - $8::interval - interval '3 hours',
        case when $7 = 'closed' then now() - $8::interval end, now() - $8::interval)
"""
_MOVE_POSITION = """
update bot.positions set qty = qty + $2, updated_at = now() where id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit order of the bot; its name is its client order id, too."""

    name: str
    profile: str
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    age: timedelta = timedelta(minutes=50)


RESTING = (
    Limit(
        name="grid-buy",
        profile=GRID,
        symbol="ETHUSDT",
        side="buy",
        qty=Decimal("0.5"),
        price=Decimal(2950),
    ),
    Limit(
        name="grid-sell",
        profile=GRID,
        symbol="ETHUSDT",
        side="sell",
        qty=Decimal("0.5"),
        price=Decimal(3060),
    ),
    Limit(
        name="scalp-buy",
        profile=SCALP,
        symbol="XRPUSDT",
        side="buy",
        qty=Decimal(400),
        price=Decimal("0.48"),
    ),
)
FORGOTTEN = Limit(
    name="trend-old",
    profile=TREND,
    symbol="BTCUSDT",
    side="buy",
    qty=Decimal("0.1"),
    price=Decimal(58_000),
    age=timedelta(hours=25),
)


class Bot:
    """Owns the account's trading. `ledger` is the account at the venue, `pool` the book."""

    def __init__(self, ledger: Ledger, pool: Pool) -> None:
        self._ledger = ledger
        self._pool = pool
        self._numbers = count(1)
        self._random = Random(7)  # noqa: S311 - a price that wanders, the same in every demo
        self._price = Decimal(60_000)

    async def settle_in(self) -> None:
        """Fill the empty book and the empty account with the same things."""
        async with borrowed(self._pool) as connection, connection.transaction():
            for profile in (TREND, GRID, SCALP):
                await connection.execute(
                    "insert into bot.profiles (id, name, account) values ($1, $1, $2)",
                    profile,
                    ACCOUNT,
                )
            await self._hold(connection, TREND, "BTCUSDT", "0.25", "59200")
            await self._hold(connection, GRID, "ETHUSDT", "2", "2980")
            await connection.execute(
                _INSERT_POSITION,
                "pos-sol-1",
                SCALP,
                _UNIFIED["SOLUSDT"],
                "long",
                Decimal(30),
                Decimal(148),
                "closed",
                timedelta(hours=20),
            )
            for order in RESTING:
                await self._rest(connection, order)

    async def hold_forgotten_order(self) -> None:
        """An old row, open in the book, for an order that the venue has forgotten."""
        async with borrowed(self._pool) as connection:
            number = await self._rest(connection, FORGOTTEN)
            self._ledger.forget_order(number, fills=True)

    def miss_a_fill(self, order_id: str, parts: tuple[tuple[str, str], ...]) -> None:
        """Fill a resting order at the venue, in (quantity, price) parts, unseen by the book."""
        number = self._ledger.order_id_by_client_id[order_id]
        for qty, price in parts:
            self._ledger.fill_order(number, Decimal(qty), Decimal(price))

    async def catch_up(self, order_id: str) -> None:
        """Read the fill that the daemon wrote to the book, and take it into the ETH position."""
        async with borrowed(self._pool) as connection, connection.transaction():
            filled = await connection.fetchval(
                "select filled from bot.orders where id = $1", order_id
            )
            await connection.execute(_MOVE_POSITION, "pos-ETHUSDT", filled)

    async def trade_a_little(self) -> str:
        """One market order, in and out of BTC by turns; what was done, as a sentence."""
        number = next(self._numbers)
        side = "buy" if number % 2 else "sell"
        self._price += Decimal(self._random.randint(-300, 300)) / 10
        self._ledger.markets.set_mark_price("BTCUSDT", self._price)
        name = f"trend-{number}"
        order = self._ledger.place_order("BTCUSDT", side, TRADE_QTY, client_order_id=name)
        self._ledger.fill_order(order.order_id, maker=False)
        async with borrowed(self._pool) as connection, connection.transaction():
            await connection.execute(
                _INSERT_ORDER,
                name,
                TREND,
                _UNIFIED["BTCUSDT"],
                side,
                "market",
                TRADE_QTY,
                TRADE_QTY,
                None,
                self._price,
                "filled",
                str(order.order_id),
                timedelta(0),
            )
            moved = TRADE_QTY if side == "buy" else -TRADE_QTY
            await connection.execute(_MOVE_POSITION, "pos-BTCUSDT", moved)
        return f"the bot {side}s {TRADE_QTY} BTC at {self._price:,.1f}"

    async def pause(self) -> None:
        """Wait until the next trade is due."""
        await asyncio.sleep(TRADE_EVERY.total_seconds())

    async def _hold(
        self, connection: Connection, profile: str, symbol: str, qty: str, price: str
    ) -> None:
        self._ledger.set_position(symbol, "long", Decimal(qty), Decimal(price))
        await connection.execute(
            _INSERT_POSITION,
            f"pos-{symbol}",
            profile,
            _UNIFIED[symbol],
            "long",
            Decimal(qty),
            Decimal(price),
            "open",
            timedelta(hours=1),
        )

    async def _rest(self, connection: Connection, order: Limit) -> int:
        """Place it, so long ago, on both sides; its number at the venue."""
        placed = self._ledger.place_order(
            order.symbol,
            order.side,
            order.qty,
            order.price,
            client_order_id=order.name,
            created_at=self._ledger.clock.now() - order.age,
        )
        await connection.execute(
            _INSERT_ORDER,
            order.name,
            order.profile,
            _UNIFIED[order.symbol],
            order.side,
            "limit",
            order.qty,
            Decimal(0),
            order.price,
            None,
            "open",
            str(placed.order_id),
            order.age,
        )
        return placed.order_id
