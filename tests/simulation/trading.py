"""What the bot's strategies do: enter, add, take out, flip, protect, replace, cancel."""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from reconciler.domain.identity import BookOrderId, ProfileId, Symbol
from reconciler.domain.orders import OrderSide, OrderState, VenueOrder
from tests.simulation.bot import Bot, Place, Working
from tests.simulation.clock import VirtualLoop
from tests.simulation.exchange import NET, ZERO, Exchange

MINUTE, HOUR = 60.0, 3600.0
GRID_ORDERS = 32
"""Resting orders of a grid: more than the blast radius guard's `max_count`."""
AT_MOST_WORKING = 3
"""Orders that a profile, a grid apart, has at work."""


class Trading:
    """Every decision is drawn from the world's luck, whatever the daemon does."""

    def __init__(
        self,
        loop: VirtualLoop,
        bot: Bot,
        exchange: Exchange,
        *,
        luck: random.Random,
        trace: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._bot = bot
        self._exchange = exchange
        self._luck = luck
        self._trace = trace
        self.profiles: dict[ProfileId, tuple[Symbol, ...]] = {}
        self.working: list[Working] = []
        self.loses_fills = 0
        """So many of the next fills are not heard by the bot."""
        self.obeys = True
        """A contained profile enters nothing."""
        self.is_over = False
        self._rows = 0

    def add(self, profile: ProfileId, symbols: tuple[Symbol, ...], *, pause: float) -> None:
        """A strategy that decides something every `pause` seconds, on average."""
        self.profiles[profile] = symbols
        self._bot.add_profile(profile)
        self._loop.call_later(self._luck.expovariate(1 / pause), self._decide, profile, pause)

    def rest(self, profile: ProfileId, symbol: Symbol, *, count: int) -> None:
        """Orders that were placed long ago, and stay until something happens to them."""
        for n in range(count):
            side = OrderSide.BUY if n % 2 else OrderSide.SELL
            leg = self._leg_of(is_long=n % 2 == 1)
            work = self._new(profile, symbol, leg, side, Decimal("0.1"))
            work.rests = True
            work.created_at -= timedelta(hours=self._luck.uniform(1, 60))
            self._bot.open(work)
            self._send(work)
            end = self._luck.choice((self.fill_soon, self._cancel))
            wait = self._luck.expovariate(1 / (60 * HOUR))
            self._loop.call_later(60 + wait, end, work)

    def _new(
        self,
        profile: ProfileId,
        symbol: Symbol,
        leg: str,
        side: OrderSide,
        qty: Decimal,
    ) -> Working:
        self._rows += 1
        return Working(
            row_id=BookOrderId(f"o{self._rows}"),
            profile=profile,
            symbol=symbol,
            leg=leg,
            side=side,
            qty=qty,
            created_at=self._loop.clock(),
        )

    def _leg_of(self, *, is_long: bool) -> str:
        if not self._exchange.hedged:
            return NET
        return "long" if is_long else "short"

    def _decide(self, profile: ProfileId, pause: float) -> None:
        if self.is_over:
            return
        self._loop.call_later(self._luck.expovariate(1 / pause), self._decide, profile, pause)
        symbol = self._luck.choice(self.profiles[profile])
        is_long = self._luck.random() < 0.5  # a coin
        qty = Decimal(self._luck.randint(1, 20)) / 10
        dice, wait = self._luck.random(), self._luck.expovariate(1 / (15 * MINUTE))
        if not self._bot.is_alive:
            return
        place = (profile, symbol, self._leg_of(is_long=is_long))
        held = self._bot.believes.get(place, ZERO)
        if held == ZERO:
            self._enter(place, is_long, qty, dice, wait)
        else:
            self._manage(place, held, qty, dice, wait)

    def _enter(self, place: Place, is_long: bool, qty: Decimal, dice: float, wait: float) -> None:
        profile, symbol, leg = place
        busy = (
            sum(1 for w in self.working if w.profile == profile and not w.rests) >= AT_MOST_WORKING
        )
        if busy or (self.obeys and not self._bot.is_active(profile)):
            return
        work = self._new(profile, symbol, leg, OrderSide.BUY if is_long else OrderSide.SELL, qty)
        self._open_and_send(work)
        if dice < 0.4:  # at the market
            self._loop.call_later(2.5, self._fill, work, qty)
        elif dice < 0.7:  # in parts
            part = qty / 2
            self._loop.call_later(wait + 3, self._fill, work, part)
            self._loop.call_later(2 * wait + 6, self._fill, work, qty - part)
        elif dice < 0.85:  # whole
            self._loop.call_later(wait + 3, self._fill, work, qty)
        elif dice < 0.93:  # moved, then filled
            self._loop.call_later(wait + 3, self._replace, work)
            self._loop.call_later(2 * wait + 30, self._fill, work, qty)
        else:
            self._loop.call_later(wait + 3, self._cancel, work)

    def _manage(self, place: Place, held: Decimal, qty: Decimal, dice: float, wait: float) -> None:
        profile, symbol, leg = place
        adding, taking = OrderSide.BUY, OrderSide.SELL
        if held < ZERO:
            adding, taking = taking, adding
        can_enter = not self.obeys or self._bot.is_active(profile)
        if dice < 0.2 and can_enter:  # scale in, in a burst
            for n in range(3):
                work = self._new(profile, symbol, leg, adding, qty)
                self._loop.call_later(10.0 * n, self._at_market, work)
        elif dice < 0.35:  # a stop that rests, and may trigger
            work = self._new(profile, symbol, leg, taking, abs(held))
            work.is_trigger = work.reduces = True
            self._open_and_send(work)
            end = self.fill_soon if wait < 10 * MINUTE else self._cancel
            self._loop.call_later(20 + 4 * wait, end, work)
        elif dice < 0.85 or not can_enter or leg != NET:  # out
            work = self._new(profile, symbol, leg, taking, abs(held))
            work.reduces = True
            self._at_market(work)
        else:  # turn round in one order
            self._at_market(self._new(profile, symbol, leg, taking, 2 * abs(held)))

    def _at_market(self, work: Working) -> None:
        if self._bot.is_alive:
            self._open_and_send(work)
            self._loop.call_later(2.5, self._fill, work, work.qty)

    def _open_and_send(self, work: Working) -> None:
        if self._bot.is_alive:
            self._bot.open(work)
            self._loop.call_later(0.05 + 2 * self._luck.random(), self._send, work)

    def _send(self, work: Working) -> None:
        if not self._bot.is_alive:
            return
        order = self._exchange.place(
            symbol=work.symbol,
            side=work.side,
            qty=work.qty,
            client_order_id=work.client_order_id,
            is_trigger=work.is_trigger,
            created_at=work.created_at,
        )
        work.venue_order_id = order.venue_order_id
        self.working.append(work)
        delay = 0.0 if work.rests else 0.1 + 4 * self._luck.random()
        self._bot.learn(work, order, delay=delay)

    def live(self, work: Working) -> VenueOrder | None:
        """The order at the venue, while it may trade."""
        if work.venue_order_id is None:
            return None
        return self._exchange.live.get(work.venue_order_id)

    def _fill(self, work: Working, qty: Decimal) -> None:
        """The market comes to it."""
        luck = self._luck.random()
        order = self.live(work)
        if order is None or order.qty is None:
            return
        qty = min(qty, order.qty - order.filled)
        if work.reduces:
            held = self._exchange.owned.get(work.place, ZERO)
            closes = held < ZERO if work.side is OrderSide.BUY else held > ZERO
            qty = min(qty, abs(held)) if closes else ZERO
        if qty > ZERO:
            order = self._exchange.fill(order.venue_order_id, qty, owner=work.profile, leg=work.leg)
            self._trace(f"fill {work.row_id} {work.profile} {work.symbol} {work.side} {qty}")
        if work.reduces and order.state.is_live:  # reduce-only: nothing is left to reduce
            order = self._exchange.end(order.venue_order_id, OrderState.CANCELED)
        if not order.state.is_live:
            self.working.remove(work)
        if self.loses_fills and qty > ZERO:
            self.loses_fills -= 1
            self._trace(f"the bot does not hear of the fill of {work.row_id}")
            return
        change = qty if work.side is OrderSide.BUY else -qty
        if qty > ZERO:
            self._bot.learn_fill(work, order, change)
        else:
            self._bot.learn(work, order, delay=5 * luck)

    def _cancel(self, work: Working) -> None:
        delay = 0.1 + 3 * self._luck.random()
        if self._bot.is_alive and self.live(work) is not None:
            self._bot.say_canceling(work)
            self._loop.call_later(delay, self.cancelled, work)

    def cancelled(self, work: Working, *, is_heard: bool = True) -> None:
        """The venue takes it off, asked or not."""
        luck = self._luck.random()
        order = self.live(work)
        if order is None:
            return
        order = self._exchange.end(order.venue_order_id, OrderState.CANCELED)
        self.working.remove(work)
        self._trace(f"cancelled {work.row_id}, heard: {is_heard}")
        if is_heard:
            self._bot.learn(work, order, delay=0.1 + 5 * luck)

    def _replace(self, work: Working) -> None:
        """Cancelled, and placed anew under the same client id."""
        luck = self._luck.random()
        order = self.live(work)
        if order is None or order.filled > ZERO or not self._bot.is_alive:
            return
        self._exchange.end(order.venue_order_id, OrderState.CANCELED)
        order = self._exchange.place(
            symbol=work.symbol,
            side=work.side,
            qty=work.qty,
            client_order_id=work.client_order_id,
            is_trigger=work.is_trigger,
        )
        work.venue_order_id = order.venue_order_id
        self._trace(f"replaced {work.row_id}")
        self._bot.learn(work, order, delay=0.1 + 5 * luck)

    def fill_soon(self, work: Working) -> None:
        """A scene wants this order filled."""
        self._fill(work, work.qty)

    def never_sent(self, profile: ProfileId, *, age: timedelta) -> Working:
        """A row whose order does not leave the bot."""
        symbol = self.profiles[profile][0]
        leg = self._leg_of(is_long=True)
        work = self._new(profile, symbol, leg, OrderSide.BUY, Decimal("0.5"))
        work.created_at -= age
        self._bot.never_send(work)
        return work
