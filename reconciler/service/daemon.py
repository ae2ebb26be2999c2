"""`reconciler run`: startup reconciliation, schedule, HTTP; drained on SIGTERM."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog

from reconciler.domain.errors import DatabaseRefusedError, DatabaseUnavailableError
from reconciler.domain.identity import AccountName
from reconciler.domain.outcome import Outcome, OutcomeState
from reconciler.http.app import build_app
from reconciler.http.server import HttpServer
from reconciler.rules.auth_incidents import AUTH
from reconciler.rules.scheduling import Intervals
from reconciler.schedule.in_process import Schedule
from reconciler.service.api import api_of
from reconciler.service.assembly import Assembly, assembled, check_configured
from reconciler.service.auth import tell_misfits
from reconciler.service.bus import attend
from reconciler.service.garbage import collect_less_often
from reconciler.service.once import keep_renewing
from reconciler.service.pacing import Pace, paces
from reconciler.service.requests import Look, Requests
from reconciler.service.upkeep import upkeep_of
from reconciler.settings import Settings
from reconciler.store.connecting import borrowed
from reconciler.store.counting import count
from reconciler.store.opening import migrate_when_it_answers
from reconciler.telemetry.redaction import Redactor

log = structlog.get_logger("reconciler.service")

COUNT_EVERY = timedelta(seconds=5)
DRAIN_WITHIN = timedelta(seconds=1.5)
"""Passes under way may end by themselves this long; SIGTERM is answered within 5 s in all."""
LET_GO_AFTER = timedelta(seconds=1)
"""Then every connection is cut: a server that answers nothing holds even a cancelled statement."""


class Daemon:
    """One process. `run` returns when `stop` was set and everything is drained."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._schedule = Schedule()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self.requests = Requests(self._soon_requested, self._requested)
        settings = assembly.settings
        self.http = HttpServer(
            build_app(health=assembly.health, metrics=assembly.metrics, api=api_of(assembly)),
            settings.http.host,
            settings.http.port,
        )

    async def run(self, stop: asyncio.Event, *, pass_now: asyncio.Event | None = None) -> None:
        """Work until `stop`; `http` must have been started."""
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self.http.serve(), name="http"),
                    tasks.create_task(self._work(), name="work"),
                    tasks.create_task(self._watch_requests(pass_now), name="requests"),
                ]
                await stop.wait()
                log.info("[Reconcile] stopping")
                await self._drain()
                for pool in self._assembly.pools:
                    asyncio.get_running_loop().call_later(
                        LET_GO_AFTER.total_seconds(), pool.terminate
                    )
                for task in running:
                    task.cancel()
        finally:
            self._schedule.stop()
            with contextlib.suppress(DatabaseUnavailableError, TimeoutError):
                async with asyncio.timeout(1):
                    await self._assembly.leases.release()

    async def _work(self) -> None:
        """Everything that needs the database, once it answers."""
        parts = self._assembly
        parts.health.startup_begun(list(parts.venues))
        await migrate_when_it_answers(parts.url, tell=self._cannot_start)
        parts.health.startup_begun(list(parts.venues))
        self._database(None)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keep_renewing(parts.leases), name="leases")
            tasks.create_task(self._keep_counting(), name="counts")
            for name, work in upkeep_of(parts).items():
                tasks.create_task(work, name=name)
            tasks.create_task(attend(parts, self.requests), name="bus")
            tasks.create_task(self._reconcile_at_start(), name="startup")

    def _cannot_start(self, error: DatabaseUnavailableError) -> None:
        """A server that is away is waited for; one that refuses (a schema newer than this program,
        a missing right) needs a person.
        """
        if isinstance(error, DatabaseRefusedError):
            self._assembly.health.startup_failed(str(error))
        self._database(str(error))

    def _database(self, why: str | None) -> None:
        self._assembly.health.database_up(why is None, why or "")

    async def _reconcile_at_start(self) -> None:
        """Readiness waits for this: every account is attempted once.

        The schedule of an account begins when its own first pass has ended: a venue that hangs
        holds no other account back.
        """
        parts = self._assembly
        accounts = list(parts.venues)
        told = [self._tell_pace(pace) for pace in paces(parts)]
        self._schedule.start()
        async with asyncio.TaskGroup() as tasks:
            for pace in told:
                for account in pace.accounts:
                    tasks.create_task(self._first_pass(account, pace.held))
        parts.health.job_expected(
            parts.reconciliation.name, max(p.held.reconciliation for p in told)
        )
        parts.health.job_expected(
            parts.order_status_sync.name, max(p.held.order_status_sync for p in told)
        )
        self._begin_auth_probe()
        parts.metrics.startup_reconciliation_complete.set(1)
        log.info("[Reconcile] startup reconciliation complete", accounts=len(accounts))

    def _tell_pace(self, pace: Pace) -> Pace:
        """Where the venue's budget does not hold what is configured: said once, shown always."""
        if pace.is_stretched:
            log.warning(
                "[Reconcile] looked at less often than configured",
                venue=pace.venue,
                accounts=len(pace.accounts),
                why=pace.says,
                mend=pace.mend,
            )
        for account in pace.accounts:
            self.requests.space(account, pace.shortest)
            self._assembly.order_status_sync.set_pace(account, pace.held)
            self._assembly.health.set_interval(
                account, pace.held.reconciliation, note=pace.says if pace.is_stretched else None
            )
        return pace

    async def _first_pass(self, account: AccountName, intervals: Intervals) -> None:
        try:
            await self._assembly.leases.acquire_unless_alive(account)
        except DatabaseUnavailableError as error:
            log.warning("[Reconcile] lease not asked for", account=account, why=str(error))
        await self._look(account)
        self._assembly.health.account_attempted(account)
        self._begin_schedule(account, intervals)

    def _begin_schedule(self, account: AccountName, intervals: Intervals) -> None:
        parts = self._assembly
        for job, interval in (
            # In this order: a full pass serves the orders' job too, not the other way round.
            (parts.reconciliation, intervals.reconciliation),
            (parts.order_status_sync, intervals.order_status_sync),
        ):
            self._schedule.every(interval, job.name, account, self._scheduled(job.run))

    def _begin_auth_probe(self) -> None:
        """Sign-in is probed from now on, where it is configured, and refusals are watched in any
        case; readiness did not wait for it.
        """
        probe, interval = self._assembly.auth_probe, self._assembly.settings.schedule.auth_probe

        async def fire(_subject: str) -> None:
            if not self._stopping:
                await self._under_way_until_stopped(probe.run())

        self._assembly.health.job_expected(probe.name, interval)
        self._schedule.every(interval, probe.name, AUTH, fire)

    def _scheduled(
        self, run: Callable[[AccountName], Awaitable[Outcome | None]]
    ) -> Callable[[AccountName], Awaitable[None]]:
        async def fire(account: AccountName) -> None:
            if self._stopping:
                return
            outcome = await self._under_way_until_stopped(run(account))
            if outcome is not None:
                self._recheck(account, outcome)

        return fire

    async def _confirm(self, account: AccountName) -> None:
        """The look that a suspicion waits for; later where the venue is left alone by now. Bots
        that have not confirmed yet that they stopped do not wait for it.
        """
        job = self._assembly.reconciliation
        if not (wait := job.patience[account].to_wait()):
            await self._look(account)
        elif not self._stopping:
            outcome = await self._under_way_until_stopped(job.settle(account))
            again = outcome.recheck_after if outcome is not None else None
            self._soon(min(wait, again or wait), "recheck", account, self._confirm)

    def _soon_requested(self, after: timedelta, account: AccountName, look: Look) -> None:
        self._soon(after, "request", account, look)

    async def _requested(self, account: AccountName) -> None:
        """A person's wish overrules our own back-off, and not the venue's Retry-After."""
        if wait := self._assembly.reconciliation.patience[account].asked_to_wait():
            self._soon(wait, "request", account, self._requested)
        else:
            await self._look(account)

    def _soon(
        self,
        after: timedelta,
        name: str,
        account: AccountName,
        look: Callable[[AccountName], Awaitable[None]],
    ) -> None:
        if not self._stopping:
            self._schedule.soon(after, name, account, look)

    async def _look(self, account: AccountName) -> None:
        """A full pass at once."""
        if self._stopping:
            return
        run = self._assembly.reconciliation.run_now(account)
        outcome = await self._under_way_until_stopped(run)
        if outcome is not None:
            self._recheck(account, outcome)

    async def _under_way_until_stopped(self, run: Awaitable[Outcome | None]) -> Outcome | None:
        """Passes under way are waited for when we stop; None for one that was cut short then."""
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            return await run
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            # The scheduler would log a traceback for what is the plan: we are ending.
            log.info("[Reconcile] pass cut short: stopping")
            return None
        finally:
            self._under_way.discard(task)

    def _recheck(self, account: AccountName, outcome: Outcome) -> None:
        """A suspicion is looked at again soon, not a whole interval later (rule 5)."""
        if outcome.recheck_after is None:
            return
        if outcome.state is OutcomeState.HELD:
            return
        self._soon(outcome.recheck_after, "recheck", account, self._confirm)

    async def _watch_requests(self, pass_now: asyncio.Event | None) -> None:
        """SIGHUP asks for a pass over every account now."""
        if pass_now is None:
            return
        while True:
            await pass_now.wait()
            pass_now.clear()
            log.info("[Reconcile] pass requested")
            for account in self._assembly.venues:
                self.requests.ask(account)

    async def _keep_counting(self) -> None:
        parts = self._assembly
        while True:
            try:
                async with borrowed(parts.pool) as connection:
                    parts.teller.tell_counts(await count(connection))
                self._database(None)
            except DatabaseUnavailableError as error:
                self._database(str(error))
            await asyncio.sleep(COUNT_EVERY.total_seconds())

    async def _drain(self) -> None:
        """No new pass; those under way may end by themselves, then they are cancelled."""
        self._stopping = True
        self._schedule.pause()
        under_way = {t for t in self._under_way if not t.done()}
        if under_way:
            await asyncio.wait(under_way, timeout=DRAIN_WITHIN.total_seconds())


async def run_daemon(
    settings: Settings,
    redactor: Redactor,
    *,
    stop: asyncio.Event,
    pass_now: asyncio.Event | None = None,
    started: Callable[[Daemon], None] | None = None,
) -> None:
    """Assemble, listen, run, close.

    Raises NotConfiguredError, VenueMisconfiguredError, AddressUnavailableError.
    """
    async with assembled(settings, redactor) as assembly:
        daemon = Daemon(assembly)
        await check_configured(assembly)
        tell_misfits(settings, assembly.health)
        await daemon.http.start()
        collect_less_often()
        if started is not None:
            started(daemon)
        await daemon.run(stop, pass_now=pass_now)


def stop_on_signals(
    loop: asyncio.AbstractEventLoop, stop: asyncio.Event, pass_now: asyncio.Event
) -> None:
    """SIGTERM and SIGINT end the daemon, SIGHUP asks for a pass."""
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, pass_now.set)
