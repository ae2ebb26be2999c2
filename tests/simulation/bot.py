"""The bot: what it believes, and how late it writes that into its book."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciler.domain.book import Profile
from reconciler.domain.identity import (
    AccountName,
    BookOrderId,
    BookPositionId,
    ClientOrderId,
    ProfileId,
    Symbol,
    VenueOrderId,
)
from reconciler.domain.orders import BookOrder, OrderSide, OrderState, VenueOrder
from reconciler.domain.positions import BookPosition, PositionSide
from tests.simulation.book import ORDERS, POSITIONS, PROFILES
from tests.simulation.clock import VirtualLoop
from tests.simulation.database import Database
from tests.simulation.exchange import NET, ZERO, Exchange

MAIN = AccountName("main")
TICK_SECONDS = 20.0
"""How often a bot of the touching kind writes `updated_at`, whatever happened."""
Place = tuple[ProfileId, Symbol, str]
"""Whose position: (profile, symbol, leg)."""


@dataclass(slots=True, kw_only=True, eq=False)
class Working:
    """One order of the bot's, from its row to its end."""

    row_id: BookOrderId
    profile: ProfileId
    symbol: Symbol
    leg: str
    side: OrderSide
    qty: Decimal
    is_trigger: bool = False
    reduces: bool = False
    rests: bool = False
    """Far from the market: it stays for days."""
    created_at: datetime
    venue_order_id: VenueOrderId | None = None

    @property
    def client_order_id(self) -> str:
        """Made of the row's id."""
        return f"bot-{self.row_id}"

    @property
    def place(self) -> Place:
        """The position that it changes."""
        return self.profile, self.symbol, self.leg


@dataclass(slots=True, kw_only=True, eq=False)
class _Write:
    """One UPDATE that is on its way."""

    table: str
    key: str
    change: Callable[[Any], Any]
    is_done: bool = False


class Bot:
    """All profiles of the account, in one process."""

    def __init__(
        self,
        loop: VirtualLoop,
        database: Database,
        exchange: Exchange,
        *,
        luck: random.Random,
        trace: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._database = database
        self._exchange = exchange
        self._luck = luck
        self._trace = trace
        self.is_alive = True
        self.believes: dict[Place, Decimal] = {}
        """Signed quantities that its book will show once what is on its way is written."""
        self._rows: dict[BookOrderId, BookOrder] = {}
        """Its orders as it knows them; those that ended are dropped."""
        self.forsaken: set[BookOrderId] = set()
        """Rows that it never cares for again."""
        self._writes: list[_Write] = []
        self._due: dict[tuple[str, str], float] = {}
        self.believed: Callable[[], None] = lambda: None
        """Told when beliefs change (the judge)."""
        self.changed: dict[Symbol, float] = {}
        """When it last wrote a row of the symbol."""

    def add_profile(self, profile: ProfileId) -> None:
        """One more bot configuration."""
        row = Profile(id=profile, account=MAIN, status="active")
        self._database.apply(PROFILES, profile, row)

    def is_active(self, profile: ProfileId) -> bool:
        """Whether it may enter trades."""
        return bool(self._database.tables[PROFILES][profile].is_active)

    def open(self, work: Working) -> None:
        """A row, before anything is sent."""
        self._rows[work.row_id] = BookOrder(
            id=work.row_id,
            profile_id=work.profile,
            symbol=work.symbol,
            raw_symbol=work.symbol,
            side=work.side,
            qty=work.qty,
            filled=ZERO,
            state=OrderState.IN_FLIGHT,
            raw_status="in_flight",
            client_order_id=ClientOrderId(work.client_order_id),
            venue_order_id=None,
            created_at=work.created_at,
            updated_at=work.created_at,
            type="stop_market" if work.is_trigger else "limit",
            reduce_only=work.reduces,
        )
        self._write_order(work.row_id, 0.0)

    def learn(self, work: Working, order: VenueOrder, *, delay: float) -> None:
        """The venue said what has become of an order."""
        row = self._rows.get(work.row_id)
        if row is None or not self.is_alive:
            return
        state = order.state
        if row.state is OrderState.CANCELING and state.is_live:
            state = row.state
        self._rows[work.row_id] = replace(
            row,
            state=state,
            raw_status=state.value,
            filled=order.filled,
            avg_price=order.avg_price,
            venue_order_id=order.venue_order_id,
        )
        self._write_order(work.row_id, delay)

    def say_canceling(self, work: Working) -> None:
        """It has asked for a cancellation."""
        row = self._rows.get(work.row_id)
        if row is not None and self.is_alive:
            state = OrderState.CANCELING
            self._rows[work.row_id] = replace(row, state=state, raw_status=state.value)
            self._write_order(work.row_id, 0.1)

    def learn_fill(self, work: Working, order: VenueOrder, change: Decimal) -> None:
        """Two writes: the order's row first, or the position's first; mostly at once."""
        if not self.is_alive:
            return
        first, second = 3 * self._luck.random(), 3 * self._luck.random()
        if self._luck.random() < 0.2:  # a busy database
            first, second = 8 * self._luck.random(), 22 * self._luck.random()
        order_first = self._luck.random() < 0.7
        self.learn(work, order, delay=first if order_first else first + second)
        self.believes[work.place] = self.believes.get(work.place, ZERO) + change
        self._write_position(work.place, first + second if order_first else first)
        self.believed()

    def _write_order(self, row_id: BookOrderId, delay: float) -> None:
        row = self._rows[row_id]
        if row.state.is_terminal:
            del self._rows[row_id]
        self._write(ORDERS, row_id, row.symbol, delay, lambda _: row)

    def _write_position(self, place: Place, delay: float) -> None:
        row = self._position_row(place, self.believes.get(place, ZERO))
        self._write(POSITIONS, row.id, row.symbol, delay, lambda _: row)

    def _position_row(self, place: Place, qty: Decimal) -> BookPosition:
        profile, symbol, leg = place
        side = PositionSide.LONG if qty > ZERO else PositionSide.SHORT
        if qty == ZERO and leg != NET:
            side = PositionSide(leg)
        return BookPosition(
            id=BookPositionId(f"{profile}:{symbol}:{leg}"),
            profile_id=profile,
            symbol=symbol,
            raw_symbol=symbol,
            side=side,
            qty=abs(qty),
            open=qty != ZERO,
            updated_at=self._loop.clock(),
        )

    def _write(
        self, table: str, key: str, symbol: Symbol, delay: float, change: Callable[[Any], Any]
    ) -> None:
        """Later, and in order for each row; `updated_at` is the time of the write."""

        def stamped(row: Any) -> Any:
            self.changed[symbol] = self._loop.now
            written = change(row)
            is_old = self._loop.now == 0 and isinstance(written, BookOrder)
            at = written.created_at if is_old else self._loop.clock()
            return replace(written, updated_at=at)

        due = max(self._loop.now + delay, self._due.get((table, key), 0.0) + 1e-3)
        self._due[table, key] = due
        write = _Write(table=table, key=key, change=stamped)
        if due <= self._loop.now:
            self._database.change(table, key, stamped)
            return
        self._writes.append(write)
        self._loop.call_at(due, self._apply, write)

    def _apply(self, write: _Write) -> None:
        if write.is_done:
            return
        write.is_done = True
        self._writes.remove(write)
        self._database.change(write.table, write.key, write.change)

    def flush(self) -> None:
        """Everything on its way is written now: the worst moment for whoever has just read."""
        for write in list(self._writes):
            self._apply(write)

    @property
    def is_writing(self) -> bool:
        """Something is on its way."""
        return bool(self._writes)

    def die(self) -> None:
        """What is on its way is lost; what it believes is what its book says."""
        self.is_alive = False
        for write in self._writes:
            write.is_done = True
        self._writes.clear()
        self._due.clear()
        for place in self.believes:
            profile, symbol, leg = place
            row = self._database.tables[POSITIONS].get(f"{profile}:{symbol}:{leg}")
            self.believes[place] = _signed(row)
        self.believed()

    def catch_up(self, profiles: Iterable[ProfileId]) -> None:
        """Ask the venue for everything and write it, in one transaction."""
        self.is_alive = True
        chosen = set(profiles)
        self._learn_orders(chosen)
        places = sorted({*self.believes, *self._exchange.owned})
        for place in places:
            if place[0] not in chosen:
                continue
            held = self._exchange.owned.get(place, ZERO)
            key = f"{place[0]}:{place[1]}:{place[2]}"
            stood = _signed(self._database.tables[POSITIONS].get(key))
            self.believes[place] = held
            if stood != held:
                self._write_position(place, 0.0)
        self.flush()
        self.believed()

    def _learn_orders(self, profiles: set[ProfileId]) -> None:
        for row_id, row in list(self._rows.items()):
            if row.profile_id not in profiles or row_id in self.forsaken:
                continue
            order = self._exchange.truth(row)
            state = order.state if order is not None else OrderState.CANCELED
            if order is not None:
                row = replace(  # noqa: PLW2901 - what it learns replaces what it knew
                    row,
                    filled=order.filled,
                    avg_price=order.avg_price,
                    venue_order_id=order.venue_order_id,
                )
            self._rows[row_id] = replace(row, state=state, raw_status=state.value)
            self._write_order(row_id, 0.0)

    def mistake_side(self, place: Place) -> None:
        """It takes a long for a short."""
        self.believes[place] = -self.believes[place]
        self._write_position(place, 0.0)
        self.believed()

    def tick(self, profile: ProfileId) -> None:
        """Touch every open row of a profile, as some bots do at each tick."""
        if self.is_alive:
            stamp = self._loop.clock()
            for table in (ORDERS, POSITIONS):
                for row in list(self._database.current(table)):
                    if row.profile_id == profile and _is_open(row):
                        self._database.change(table, row.id, lambda r: replace(r, updated_at=stamp))
                        self.changed[row.symbol] = self._loop.now
        self._loop.call_later(TICK_SECONDS, self.tick, profile)

    def activate(self, profile: ProfileId) -> None:
        """A person re-enables it."""
        self._database.change(PROFILES, profile, lambda row: replace(row, status="active"))
        self.believed()

    def never_send(self, work: Working) -> None:
        """A row whose order never reached the venue, and is forgotten."""
        self.open(work)
        self.forsaken.add(work.row_id)


def _signed(row: BookPosition | None) -> Decimal:
    if row is None or not row.open:
        return ZERO
    return row.qty if row.side is PositionSide.LONG else -row.qty


def _is_open(row: BookOrder | BookPosition) -> bool:
    return row.state.is_live if isinstance(row, BookOrder) else row.open
