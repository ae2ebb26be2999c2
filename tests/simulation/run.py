"""One run: a world from a seed, so many hours of it, and what came of it."""

import asyncio
import contextlib
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

from reconciler.cycle import account_cycle, telling
from reconciler.domain.identity import ProfileId
from reconciler.domain.incidents import IncidentStatus
from tests.simulation.book import ORDERS, PROFILES
from tests.simulation.bot import Bot
from tests.simulation.clock import VirtualLoop, run_virtual
from tests.simulation.daemon import NO_MISHAPS, Daemon, Mishaps, Renewals, Surroundings
from tests.simulation.database import Database
from tests.simulation.exchange import SYMBOLS, Exchange
from tests.simulation.judge import Judge, Tally, Violation
from tests.simulation.process import Process
from tests.simulation.removals import Removal
from tests.simulation.scenes import Causes, Troubles
from tests.simulation.settings import judging
from tests.simulation.trace import Trace
from tests.simulation.trading import GRID_ORDERS, Trading
from tests.simulation.venue import VenueFaults

HOUR = 3600.0
SETTLE = 2 * HOUR
"""Quiet time at the end of a comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run."""

    seed: int
    hours: float
    removal: Removal | None = None
    with_mishaps: bool = True
    """Processes die and freeze, and the bot writes at the worst moment."""
    pace: float = 1.0
    """How many times as often something goes wrong."""
    has_rival: bool = False
    """A second daemon runs all the time, and both freeze often."""
    compares: bool = False
    """The world takes no notice of the daemon, and is quiet at the end."""
    shows_trace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it."""

    plan: Plan
    hours: float
    tally: Tally
    ghosts: int
    """Differences that contain, as the judge saw them come."""
    mishaps: Counter[str]
    violation: Violation | None
    told: list[str]
    """The last lines about the violation's subject."""
    digest: str
    end: tuple[frozenset[str], frozenset[str], frozenset[tuple[str, str]]]
    """Contained profiles, quarantined orders, open incidents."""


class World:
    """Everything of one run, wired."""

    def __init__(self, plan: Plan, loop: VirtualLoop) -> None:
        self.plan = plan
        self.loop = loop
        shape = self._luck("shape")
        self.trace = Trace(loop.time, is_shown=plan.shows_trace)
        self.database = Database(loop.clock)
        self.exchange = Exchange(
            time=loop.time,
            clock=loop.clock,
            hedged=shape.random() < 0.35,
            retention=timedelta(hours=shape.choice((2, 6, 24, 72))),
        )
        luck = self._luck("trading")
        self.bot = Bot(loop, self.database, self.exchange, luck=luck, trace=self.trace)
        self.judge = Judge(loop, self.database, self.exchange, self.bot, trace=self.trace)
        self.trading = Trading(loop, self.bot, self.exchange, luck=luck, trace=self.trace)
        self.trading.obeys = not plan.compares
        self.faults = VenueFaults()
        self._people(shape)
        self.causes = Causes(
            loop,
            self.bot,
            self.trading,
            self.exchange,
            luck=self._luck("causes"),
            trace=self.trace,
        )
        self.causes.are_lasting = plan.compares
        self.troubles = Troubles(
            loop,
            self.database,
            self.faults,
            self.trading,
            luck=self._luck("troubles"),
            trace=self.trace,
        )
        self._moments = self._luck("moments").random
        self.counts: Counter[str] = Counter()
        mishaps = Mishaps() if plan.with_mishaps else NO_MISHAPS
        if plan.compares and plan.with_mishaps:
            # The bot's worst moments depend on what the daemon does; the world must not.
            mishaps = replace(
                mishaps,
                flush=0,
                flush_in_transaction=0,
                mend_in_transaction=0,
                long_downtimes=False,
            )
        if plan.has_rival:
            mishaps = replace(mishaps, freeze_in_pass=0.05)
        self.mishaps = mishaps

    def _luck(self, stream: str) -> random.Random:
        """Streams that do not disturb one another."""
        return random.Random(f"{self.plan.seed}:{stream}")

    def _people(self, shape: random.Random) -> None:
        """Who trades on the account."""
        count = shape.choice((1, 2, 2, 3))
        for n in range(count):
            symbols = tuple(shape.sample(SYMBOLS[:2], shape.choice((1, 2))))
            pause = shape.choice((240.0, 600.0, 1800.0))
            self.trading.add(ProfileId(f"p{n}"), symbols, pause=pause)
            if shape.random() < 0.25:  # a bot that touches its rows at each tick
                self.bot.tick(ProfileId(f"p{n}"))
            self.trading.rest(ProfileId(f"p{n}"), symbols[0], count=shape.randint(0, 3))
            for _ in range(shape.randint(0, 2)):
                age = timedelta(hours=shape.uniform(12, 26))
                self.trading.never_sent(ProfileId(f"p{n}"), age=age)
        if shape.random() < 0.2:
            self.trading.rest(ProfileId("p0"), SYMBOLS[0], count=GRID_ORDERS + 8)

    def meanwhile(self, process: Process) -> None:
        """Between two awaits of a process: the bot writes, a cause is mended, the process dies."""
        mishaps = self.mishaps
        if not mishaps.flush:
            if mishaps.kill_in_transaction and self._in_transaction(process):
                self._strike(process)
            return
        inside = self._in_transaction(process)
        share = mishaps.flush_in_transaction if inside else mishaps.flush
        if self.bot.is_writing and self._moments() < share:
            self.bot.flush()
        if not inside:
            return
        if self.causes.healable and self._moments() < mishaps.mend_in_transaction:
            self.causes.healable[0]()
        self._strike(process)

    def _in_transaction(self, process: Process) -> bool:
        return any(t.client is process for t in self.database.open_transactions)

    def _strike(self, process: Process) -> None:
        dice = self._moments()
        if dice < self.mishaps.kill_in_transaction:
            process.kill_next()
        elif dice < self.mishaps.kill_in_transaction + self.mishaps.freeze_in_transaction:
            process.freeze_next(self._moments() * 45)

    async def run(self) -> None:
        """Until the end, or the first violation."""
        over = self.loop.create_future()

        def stop() -> None:
            if not over.done():
                over.set_result(None)

        self.judge.stop = stop
        end = self.plan.hours * HOUR
        busy = end - SETTLE - HOUR if self.plan.compares else end
        self.causes.begin(pause=3 * HOUR / self.plan.pace, until=busy)
        if not self.plan.compares:
            self.troubles.begin(pause=1.5 * HOUR / self.plan.pace, until=busy)
        self.loop.call_at(busy, self._quiet)
        self.loop.call_at(end, stop)
        around = Surroundings(
            loop=self.loop,
            database=self.database,
            exchange=self.exchange,
            faults=self.faults,
            judge=self.judge,
            trace=self.trace,
            renewals=Renewals(self.loop, self.database),
            judging=self._judging(),
            host_skew=lambda: self.troubles.host_skew,
            meanwhile=self.meanwhile,
            mishaps=self.mishaps,
            counts=self.counts,
        )
        first = Daemon(around, name="a", luck=self._luck("daemon a"))
        tasks = [self.loop.create_task(first.live(until=end))]
        if self.plan.with_mishaps:
            tasks.append(self.loop.create_task(self._second(around, until=end)))
        for task in tasks:
            task.add_done_callback(self._died)
        await over

    def _judging(self) -> Any:
        found = judging(self.exchange.retention)
        removal = self.plan.removal
        return removal.judging(found) if removal is not None else found

    def _died(self, task: Any) -> None:
        if not task.cancelled() and task.exception() is not None:
            self.judge.violate("driver", "daemon", repr(task.exception()))

    def _quiet(self) -> None:
        self.trading.is_over = True

    async def _second(self, around: Surroundings, *, until: float) -> None:
        """Another daemon runs beside the first for a time (rule 11)."""
        luck = self._luck("second")
        daemon = Daemon(around, name="b", luck=self._luck("daemon b"))
        while self.loop.now < until:
            if self.plan.has_rival:
                await daemon.live(until=until)
                return
            await asyncio.sleep(luck.expovariate(1 / (10 * HOUR)))
            self.counts["second daemon"] += 1
            await daemon.live(until=min(until, self.loop.now + luck.uniform(600, 2 * HOUR)))
            around.judge.died()

    def end(self) -> tuple[frozenset[str], frozenset[str], frozenset[tuple[str, str]]]:
        """What stands at the end."""
        tables = self.database.tables
        return (
            frozenset(p.id for p in tables[PROFILES].values() if not p.is_active),
            frozenset(o.id for o in tables[ORDERS].values() if o.raw_status == "unknown"),
            frozenset(
                (i.key.kind.value, i.key.subject)
                for i in tables["incidents"].values()
                if i.status is not IncidentStatus.RESOLVED
            ),
        )


def run_plan(plan: Plan) -> Result:
    """Run it. The same plan gives the same result, in any process."""
    loop = VirtualLoop()
    world = World(plan, loop)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet_logs(world))
        if plan.removal is not None:
            stack.enter_context(plan.removal.applied())
        run_virtual(loop, world.run())
    violation = world.judge.violations[0] if world.judge.violations else None
    return Result(
        plan=plan,
        hours=loop.now / HOUR,
        tally=world.judge.tally,
        ghosts=world.judge.missed.seen_ghosts,
        mishaps=world.counts + world.causes.counts + world.troubles.counts,
        violation=violation,
        told=world.trace.about(violation.subject) if violation is not None else [],
        digest=world.trace.digest,
        end=world.end(),
    )


@contextlib.contextmanager
def _quiet_logs(world: World) -> Iterator[None]:
    """Log lines cost more than the passes; an unexpected exception is a violation."""

    def nothing(*_: object, **__: object) -> None:
        """Dropped."""

    def exception(event: str, **_: object) -> None:
        world.judge.violate("unexpected exception", "pass", f"{event}: {sys.exc_info()[1]!r}")

    quiet = SimpleNamespace(info=nothing, warning=nothing, exception=exception)
    with mock.patch.object(account_cycle, "log", quiet), mock.patch.object(telling, "log", quiet):
        yield
