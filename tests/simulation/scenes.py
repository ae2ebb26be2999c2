"""What goes wrong, from a seed: real causes in the world, faults of venue and database."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from reconciler.domain.identity import ProfileId, Symbol
from reconciler.domain.snapshot import AnswerKind, ScopeName
from tests.simulation.bot import Bot
from tests.simulation.clock import VirtualLoop
from tests.simulation.database import Database
from tests.simulation.exchange import NET, SYMBOLS, ZERO, Exchange
from tests.simulation.trading import GRID_ORDERS, Trading
from tests.simulation.venue import VenueFaults

MINUTE, HOUR = 60.0, 3600.0
PERSON = ProfileId("person")
OTHER = {"long": "short", "short": "long", NET: NET}
SCOPES = (ScopeName.POSITIONS, ScopeName.OPEN_ORDERS, ScopeName.TRIGGER_ORDERS)


class Causes:
    """Real causes: each has a time, and (mostly) an end after which a person re-enables."""

    def __init__(
        self,
        loop: VirtualLoop,
        bot: Bot,
        trading: Trading,
        exchange: Exchange,
        *,
        luck: random.Random,
        trace: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._bot = bot
        self._trading = trading
        self._exchange = exchange
        self._luck = luck
        self._trace = trace
        self.counts: Counter[str] = Counter()
        self.are_lasting = False
        """Each stands for a while, and nobody re-enables: for comparing runs."""
        self.healable: list[Callable[[], None]] = []
        """What may be mended at the worst moment."""
        self._scenes = {
            "bot dies": (5, self._death),
            "fill lost": (4, self._lost_fill),
            "close lost": (3, self._lost_close),
            "manual trade": (5, self._manual),
            "wrong side": (2, self._wrong_side),
            "never sent": (3, self._never_sent),
            "cancel lost": (3, self._cancel_lost),
        }

    def begin(self, *, pause: float, until: float) -> None:
        """One after the other, `pause` seconds between two on average."""
        wait = self._luck.expovariate(1 / pause)
        self._loop.call_later(wait, self._next, pause, until)

    def _next(self, pause: float, until: float) -> None:
        if self._loop.now >= until:
            return
        names = sorted(self._scenes)
        [name] = self._luck.choices(names, [self._scenes[n][0] for n in names])
        lasts = self._luck.uniform(3 * MINUTE, 2 * HOUR)
        if self.are_lasting:
            lasts += 15 * MINUTE
        if self._scenes[name][1](lasts):
            self.counts[name] += 1
            self._trace(f"cause: {name}, for {lasts:.0f} s")
        self.begin(pause=pause, until=until)

    def _mend_after(self, seconds: float, mend: Callable[[], None]) -> None:
        """Mended then, or sooner at the worst moment; profiles are re-enabled some time later."""

        def once() -> None:
            if once in self.healable:
                self.healable.remove(once)
                self._trace("mended")
                mend()

        self.healable.append(once)
        self._loop.call_later(seconds, once)
        self._loop.call_later(seconds + self._luck.uniform(10, 40) * MINUTE, self._enable)
        if self._luck.random() < 0.3:  # too early: the ghost still stands
            self._loop.call_later(seconds * self._luck.random(), self._enable)

    def _enable(self) -> None:
        for profile in sorted(self._trading.profiles):
            if not self.are_lasting and not self._bot.is_active(profile):
                self._trace(f"a person re-enables {profile}")
                self._bot.activate(profile)

    def _catch_up(self) -> None:
        self._trading.loses_fills = 0
        if self._bot.is_alive:
            self._bot.catch_up(sorted(self._trading.profiles))

    def _return(self) -> None:
        self._trading.loses_fills = 0
        self._bot.catch_up(sorted(self._trading.profiles))

    def _death(self, lasts: float) -> bool:
        """Fills, stops and expiries go on without it; one order ends shortly before another
        fills, so that our own write of the first is fresh when the second's ghost appears.
        """
        if not self._bot.is_alive:
            return False
        self._bot.die()
        self._mend_after(lasts, self._return)
        self._loop.call_later(lasts * 0.2, self._end_one_fill_another)
        return True

    def _end_one_fill_another(self) -> None:
        working = self._trading.working
        if self._bot.is_alive or not working:
            return
        flat = [w for w in working if not w.is_trigger and not self._holds(w.symbol)]
        for first in flat:
            others = [w for w in flat if w is not first and w.symbol == first.symbol]
            if others:
                self._trace(f"{first.row_id} ends, then {others[0].row_id} fills")
                self._trading.cancelled(first, is_heard=False)
                wait = self._luck.uniform(15, 100)
                self._loop.call_later(wait, self._trading.fill_soon, others[0])
                return

    def _holds(self, symbol: Symbol) -> bool:
        legs = self._exchange.now.legs.items()
        return any(qty for (name, _), qty in legs if name == symbol)

    def _lost_fill(self, lasts: float) -> bool:
        self._trading.loses_fills += 1
        self._mend_after(lasts, self._catch_up)
        return True

    def _lost_close(self, lasts: float) -> bool:
        """Liquidated; nobody tells the bot."""
        held = [(p, q) for p, q in sorted(self._exchange.owned.items()) if q and p[0] != PERSON]
        if not held:
            return False
        (owner, symbol, leg), qty = self._luck.choice(held)
        self._exchange.trade(owner=owner, symbol=symbol, leg=leg, qty=-qty)
        self._trace(f"liquidated {owner} {symbol} {leg} {qty}")
        self._mend_after(lasts, self._catch_up)
        return True

    def _manual(self, lasts: float) -> bool:
        """A person trades by hand; sometimes only for seconds."""
        symbol = self._luck.choice(SYMBOLS)
        sign = self._luck.choice((1, -1))
        leg = NET if not self._exchange.hedged else ("long" if sign > 0 else "short")
        qty = sign * Decimal(self._luck.randint(1, 30)) / 10
        if self._luck.random() < 0.2 and not self.are_lasting:
            lasts = self._luck.uniform(1, 40)
        legs = self._exchange.now.legs
        flat = [
            (s, f) for (s, o), q in sorted(legs.items()) if q and not legs.get((s, f := OTHER[o]))
        ]
        if self._exchange.hedged and flat:  # a leg beside the one that the bot holds
            symbol, leg = self._luck.choice(flat)
            qty = abs(qty) if leg == "long" else -abs(qty)
        self._exchange.trade(owner=PERSON, symbol=symbol, leg=leg, qty=qty)
        self._trace(f"manual trade {symbol} {leg} {qty}")

        def undo() -> None:
            self._exchange.trade(owner=PERSON, symbol=symbol, leg=leg, qty=-qty)

        self._mend_after(lasts, undo)
        return True

    def _wrong_side(self, lasts: float) -> bool:
        """One-way only: a leg has its side by its name."""
        held = [p for p, q in sorted(self._bot.believes.items()) if q != ZERO]
        if not held or self._exchange.hedged or not self._bot.is_alive:
            return False
        self._bot.mistake_side(self._luck.choice(held))
        self._mend_after(lasts, self._catch_up)
        return True

    def _never_sent(self, lasts: float) -> bool:
        del lasts
        if not self._bot.is_alive:
            return False
        profile = self._luck.choice(sorted(self._trading.profiles))
        work = self._trading.never_sent(profile, age=timedelta(0))
        self._trace(f"{work.row_id} is never sent")
        return True

    def _cancel_lost(self, lasts: float) -> bool:
        del lasts
        if not self._trading.working:
            return False
        work = self._luck.choice(self._trading.working)
        self._bot.forsaken.add(work.row_id)
        self._trading.cancelled(work, is_heard=False)
        return True


class Troubles:
    """Faults of the venue's answers and of the database."""

    def __init__(
        self,
        loop: VirtualLoop,
        database: Database,
        faults: VenueFaults,
        trading: Trading,
        *,
        luck: random.Random,
        trace: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._database = database
        self._faults = faults
        self._trading = trading
        self._luck = luck
        self._trace = trace
        self.counts: Counter[str] = Counter()
        self.host_skew = timedelta(0)
        self._scenes: dict[str, Callable[[], Callable[[], None] | None]] = {
            "outage": self._outage,
            "scope fails": self._scope_fails,
            "partial": self._partial,
            "throttled": self._throttled,
            "lookups fail": self._lookups_fail,
            "markets fail": self._markets_fail,
            "slow": self._slow,
            "lag": self._lag,
            "wrong account": self._wrong_account,
            "venue clock": self._venue_clock,
            "host clock": self._host_clock,
            "database away": self._database_away,
            "replies lost": self._replies_lost,
        }

    def begin(self, *, pause: float, until: float) -> None:
        """One at a time, `pause` seconds between two on average."""
        wait = self._luck.expovariate(1 / pause)
        self._loop.call_later(wait, self._next, pause, until)

    def _next(self, pause: float, until: float) -> None:
        if self._loop.now >= until:
            return
        name = self._luck.choice(sorted(self._scenes))
        lasts = self._luck.choice((10.0, 40.0, 2 * MINUTE, 6 * MINUTE, 25 * MINUTE, 90 * MINUTE))
        if name in {"database away", "replies lost"}:
            lasts = min(lasts, 6 * MINUTE)
        end = self._scenes[name]()
        if end is None:
            self.begin(pause=pause, until=until)
            return
        self.counts[name] += 1
        self._trace(f"trouble: {name}, for {lasts:.0f} s")

        def over() -> None:
            end()
            self._trace(f"trouble over: {name}")
            self.begin(pause=pause, until=until)

        self._loop.call_later(lasts, over)

    def _kind(self) -> AnswerKind:
        return self._luck.choice(sorted(set(AnswerKind) - {AnswerKind.THROTTLED}))

    def _outage(self) -> Callable[[], None]:
        kind = self._kind()
        self._faults.failing = dict.fromkeys(SCOPES, kind)
        self._faults.lookups = kind
        return self._answer

    def _answer(self) -> None:
        self._faults.failing = {}
        self._faults.lookups = self._faults.retry_after = None

    def _scope_fails(self) -> Callable[[], None]:
        self._faults.failing = {self._luck.choice(SCOPES): self._kind()}
        return self._answer

    def _partial(self) -> Callable[[], None]:
        self._faults.partial = {self._luck.choice(SCOPES)}
        return self._faults.partial.clear

    def _throttled(self) -> Callable[[], None]:
        self._faults.failing = {self._luck.choice(SCOPES): AnswerKind.THROTTLED}
        self._faults.retry_after = timedelta(seconds=self._luck.randint(5, 120))
        return self._answer

    def _lookups_fail(self) -> Callable[[], None]:
        self._faults.lookups = self._kind()
        return self._answer

    def _markets_fail(self) -> Callable[[], None]:
        self._faults.markets = self._kind()

        def end() -> None:
            self._faults.markets = None

        return end

    def _slow(self) -> Callable[[], None]:
        self._faults.slow = self._luck.uniform(1, 25)

        def end() -> None:
            self._faults.slow = 0.0

        return end

    def _lag(self) -> Callable[[], None]:
        self._faults.lag = self._luck.uniform(2, 12)

        def end() -> None:
            self._faults.lag = 0.0

        return end

    def _wrong_account(self) -> Callable[[], None] | None:
        """Only where the guard of rule 9 has enough orders to see it by."""
        if sum(1 for w in self._trading.working if w.rests) < GRID_ORDERS - 4:
            return None
        self._faults.wrong_account = True

        def end() -> None:
            self._faults.wrong_account = False

        return end

    def _venue_clock(self) -> Callable[[], None]:
        self._faults.skew = timedelta(seconds=self._luck.choice((-300, -30, 30, 300, 90000)))

        def end() -> None:
            self._faults.skew = timedelta(0)

        return end

    def _host_clock(self) -> Callable[[], None]:
        self.host_skew = timedelta(seconds=self._luck.choice((-300, -30, 30, 300, 90000)))

        def end() -> None:
            self.host_skew = timedelta(0)

        return end

    def _database_away(self) -> Callable[[], None]:
        self._database.why_down = "the database did not answer: simulated"

        def end() -> None:
            self._database.why_down = None

        return end

    def _replies_lost(self) -> Callable[[], None]:
        self._database.loses_replies = True

        def end() -> None:
            self._database.loses_replies = False

        return end
