"""The daemon under test: the real `AccountCycle`, driven, killed, frozen and started again."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from reconciler.cycle.account_cycle import AccountCycle
from reconciler.cycle.judging import Judging
from reconciler.cycle.tools import Tools
from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.domain.identity import BookName
from reconciler.domain.leases import Lease
from reconciler.domain.outcome import Outcome, OutcomeState
from tests.simulation.book import MemoryBook
from tests.simulation.bot import MAIN
from tests.simulation.clock import EPOCH, VirtualLoop
from tests.simulation.database import Database
from tests.simulation.exchange import Exchange
from tests.simulation.judge import Judge
from tests.simulation.leases import LEASE, RENEW_EVERY, MemoryLeases
from tests.simulation.process import KilledError, Process
from tests.simulation.settings import INTERVAL
from tests.simulation.store import MemoryStore
from tests.simulation.trace import Trace
from tests.simulation.venue import VenueFaults, VenueTwin

BOOK = BookName("main")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishaps:
    """How often a process is hit: shares of passes, or of awaits inside transactions."""

    kill_in_pass: float = 1 / 150
    kill_in_transaction: float = 0.004
    freeze_in_pass: float = 1 / 400
    freeze_in_transaction: float = 0.002
    flush: float = 0.05
    """The bot writes what is on its way between two of our reads."""
    flush_in_transaction: float = 0.3
    mend_in_transaction: float = 0.05
    """A cause is mended just then."""
    long_downtimes: bool = True
    """Minutes and hours, now and then."""


NO_MISHAPS = Mishaps(
    kill_in_pass=0,
    kill_in_transaction=0,
    freeze_in_pass=0,
    freeze_in_transaction=0,
    flush=0,
    flush_in_transaction=0,
    mend_in_transaction=0,
)


class Renewals:
    """Every process renews its leases each 3 s; reckoned when somebody looks at the table."""

    def __init__(self, loop: VirtualLoop, database: Database) -> None:
        self._loop = loop
        self._database = database
        self._last: dict[Process, tuple[MemoryLeases, float]] = {}

    def add(self, process: Process, leases: MemoryLeases) -> None:
        """A process that has just started."""
        self._last[process] = (leases, self._loop.now)

    def drop(self, process: Process) -> None:
        """It renews no more: its last renewals stand."""
        self()
        self._last.pop(process, None)

    def __call__(self) -> None:
        """Catch up."""
        every = RENEW_EVERY.total_seconds()
        for process, (leases, since) in list(self._last.items()):
            until, last = self._loop.now, since
            if process.frozen_until > until:
                until = max(last, process.froze_at)
            elif last < process.frozen_until:
                # Its timer fires as soon as it wakes: that renewal is the next one.
                due = process.frozen_until
                self._renew(process, leases, max(last, due))
                last = self._last[process][1]
            ticks = int((until - last) // every)
            if ticks:
                self._renew(process, leases, last + ticks * every)

    def _renew(self, process: Process, leases: MemoryLeases, at: float) -> None:
        self._last[process] = (leases, at)
        if self._database.why_down is None:
            leases.renew_at(EPOCH + timedelta(seconds=at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every process of the daemon meets."""

    loop: VirtualLoop
    database: Database
    exchange: Exchange
    faults: VenueFaults
    judge: Judge
    trace: Trace
    renewals: Renewals
    judging: Judging
    host_skew: Callable[[], timedelta]
    meanwhile: Callable[[Process], None]
    mishaps: Mishaps
    counts: Counter[str]


class Daemon:
    """One place where the daemon runs: a process after another."""

    def __init__(self, around: Surroundings, *, name: str, luck: random.Random) -> None:
        self._around = around
        self._name = name
        self._luck = luck
        self._started = 0

    async def live(self, *, until: float) -> None:
        """Run, die, be started again."""
        loop = self._around.loop
        while loop.now < until:
            self._started += 1
            process = Process(
                loop,
                self._around.database,
                name=f"{self._name}{self._started}",
                meanwhile=self._around.meanwhile,
            )
            try:
                await self._run(process, until=until)
            except KilledError:
                self._around.counts["killed"] += 1
                self._around.trace(f"{process.name} was killed")
                self._around.renewals.drop(process)
                self._around.judge.died()
                await asyncio.sleep(self._downtime())
        self._around.renewals.drop(process)

    def _downtime(self) -> float:
        dice = self._luck.random()
        if dice < 0.85 or not self._around.mishaps.long_downtimes:  # a supervisor starts it again
            return self._luck.uniform(1, 60)
        return self._luck.uniform(60, 3600) if dice < 0.97 else self._luck.uniform(3600, 20000)

    async def _run(self, process: Process, *, until: float) -> None:
        around, loop = self._around, self._around.loop
        leases = MemoryLeases(around.database, process, holder=process.name, settle=around.renewals)
        around.renewals.add(process, leases)
        store = MemoryStore(around.database, process, settle=around.renewals)
        venue = VenueTwin(
            around.exchange, around.faults, process, loop=loop, luck=self._luck, account=MAIN
        )
        book = MemoryBook(around.database, process, name=BOOK)
        tools = Tools(account=MAIN, venue=venue, book=book, store=store)
        cycle = AccountCycle(tools, around.judging, leases)
        await self._take_lease(leases)
        around.judge.died()
        not_before = 0.0
        while loop.now < until:
            self._arm(process)
            store.clock_skew = around.host_skew()
            process.seen.skew = abs(store.clock_skew)
            result = await cycle.run("reconciliation")
            if process.frozen_until > process.seen.began:
                around.judge.died()
            around.judge.pass_ended(process, result)
            outcome = result.outcome
            if outcome.retry_after is not None:
                not_before = loop.now + outcome.retry_after.total_seconds()
            await asyncio.sleep(self._wait(outcome, not_before))
            if process.kill_at > 0:  # the pass was shorter: it dies between two
                process.die()
                raise KilledError

    async def _take_lease(self, leases: MemoryLeases) -> None:
        """As `acquire_unless_alive`: a holder that died is waited for."""
        deadline = self._around.loop.now + LEASE.total_seconds() + 1
        while self._around.loop.now < deadline:
            try:
                if isinstance(await leases.acquire(MAIN), Lease):
                    return
            except DatabaseUnavailableError:
                return
            await asyncio.sleep(0.5)

    def _arm(self, process: Process) -> None:
        process.begin_pass()
        mishaps, luck = self._around.mishaps, self._luck.random
        if mishaps.kill_in_pass and luck() < mishaps.kill_in_pass:
            process.kill_at = self._luck.randint(1, self._luck.choice((10, 40)))
        if mishaps.freeze_in_pass and luck() < mishaps.freeze_in_pass:
            process.freeze_at = self._luck.randint(1, 10)
            process.freeze_for = self._luck.uniform(2, 60)
            self._around.counts["frozen"] += 1

    def _wait(self, outcome: Outcome, not_before: float) -> float:
        """Until the next scheduled pass, or the one that a suspicion asks for."""
        now = self._around.loop.now
        tick = (now // INTERVAL + 1) * INTERVAL
        while tick < not_before:
            tick += INTERVAL
        wait = tick - now
        if outcome.recheck_after is not None and outcome.state is not OutcomeState.HELD:
            wait = min(wait, outcome.recheck_after.total_seconds())
        return wait
