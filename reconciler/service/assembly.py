"""From settings to adapters: everything that one process works with."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from reconciler import __version__
from reconciler.book.postgres import PostgresBook
from reconciler.cycle.account_cycle import AccountCycle
from reconciler.cycle.judging import Judging
from reconciler.cycle.tools import Tools
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import AccountName, BookName
from reconciler.jobs.auth_probe import AuthProbeService
from reconciler.jobs.order_status_sync import OrderStatusSyncService
from reconciler.jobs.patience import Patience
from reconciler.jobs.reconciliation import ReconciliationService
from reconciler.rules.blast_radius import BlastLimits
from reconciler.rules.escalation import SAMPLE_EVERY, EscalationLimits
from reconciler.rules.ghost_positions import PositionLimits
from reconciler.rules.order_status import OrderLimits
from reconciler.schedule.windows import Windows
from reconciler.service.auth import auth_probe_of
from reconciler.service.books import (
    BookDatabase,
    book_databases,
    books_of,
    close_pool,
    rejections_of,
)
from reconciler.service.telling import Teller
from reconciler.settings import Settings
from reconciler.settings.accounts import AccountSettings
from reconciler.store.connecting import Pool, open_pool
from reconciler.store.leases import Leases, new_holder
from reconciler.store.postgres import PostgresStore
from reconciler.telemetry.health import HealthBoard
from reconciler.telemetry.metrics import Metrics
from reconciler.telemetry.redaction import Redactor
from reconciler.venue.account import CcxtAccount
from reconciler.venue.calls import Observe
from reconciler.venue.connection import AccountConnection
from reconciler.venue.descriptions.retention import retention_of
from reconciler.venue.shared_connection import SharedConnections

log = structlog.get_logger("reconciler.service")

POOL_SIZE = 10
AT_ONCE = 32
"""Passes under way at once at one venue: a venue that hangs delays no other venue's accounts.
Each borrows a connection for moments, never across a venue call."""


class NotConfiguredError(ReconcilerError):
    """The settings are valid, and not enough for this command. Names what lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The parts of one process, wired."""

    settings: Settings
    url: str
    pool: Pool
    leases: Leases
    venues: Mapping[AccountName, CcxtAccount]
    books: Mapping[BookName, PostgresBook]
    book_databases: tuple[BookDatabase, ...]
    """Those that are not that of `url`."""
    reconciliation: ReconciliationService
    order_status_sync: OrderStatusSyncService
    auth_probe: AuthProbeService
    """Without a probe where nothing of `[auth]` is configured: then it watches for spikes alone."""
    health: HealthBoard
    metrics: Metrics
    redactor: Redactor
    teller: Teller
    windows: Windows

    @property
    def pools(self) -> tuple[Pool, ...]:
        """Every pool of this process."""
        return (self.pool, *(each.pool for each in self.book_databases))


def database_url(settings: Settings) -> str:
    """The daemon's own database. Raises NotConfiguredError."""
    if settings.database.url is None:
        raise NotConfiguredError(
            "database.url is not set: put it in reconciler.toml, or set DATABASE_URL"
        )
    return settings.database.url.get_secret_value()


def accounts_of(settings: Settings) -> dict[AccountName, AccountSettings]:
    """The accounts under watch. Raises NotConfiguredError."""
    if not settings.accounts:
        raise NotConfiguredError(
            "no account is configured: add a table [accounts.NAME] with venue, api_key and secret"
        )
    return {AccountName(name): account for name, account in settings.accounts.items()}


def windows_of(settings: Settings) -> Windows:
    """The maintenance windows. Raises NotConfiguredError for a cron expression that is none."""
    found: dict[str, list[tuple[str, timedelta]]] = {}
    for venue, each in settings.maintenance.items():
        found[venue] = [(window.cron, window.duration) for window in each]
        try:
            Windows(found)
        except (ValueError, IndexError) as error:
            raise NotConfiguredError(f"maintenance.{venue}: cron: {error}") from error
    return Windows(found)


def accounts_with_one_key(settings: Settings) -> list[list[str]]:
    """Names of accounts that are one account at the venue, and are not kept apart by `symbols`."""
    by_key: dict[tuple[object, ...], list[str]] = {}
    for name, a in settings.accounts.items():
        if a.api_key is not None and a.symbols is None:
            key = (a.venue, a.base_url, a.sandbox, a.api_key.get_secret_value())
            by_key.setdefault(key, []).append(name)
    return [names for names in by_key.values() if len(names) > 1]


@contextlib.asynccontextmanager
async def assembled(settings: Settings, redactor: Redactor) -> AsyncIterator[Assembly]:
    """Build everything, and close it at the end. Opens no connection by itself.

    Raises NotConfiguredError, BookUnreadableError (a preset that is not carried).
    """
    url, accounts = database_url(settings), accounts_of(settings)
    windows = windows_of(settings)
    for names in accounts_with_one_key(settings):
        log.warning("[Reconcile] accounts share one key at one venue", accounts=names)
    health = HealthBoard(mode=settings.mode, version=__version__, redact=redactor.text)
    metrics = Metrics()
    metrics.declare(accounts)
    shared = SharedConnections()
    venues = {
        name: CcxtAccount(
            connection_of(name, account), shared=shared, observe=_observer(metrics, name)
        )
        for name, account in accounts.items()
    }
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(_close, venues, shared)
        pool = await open_pool(url, size=POOL_SIZE)
        stack.push_async_callback(close_pool, pool)
        databases = await stack.enter_async_context(book_databases(settings, url))
        leases = Leases(pool, holder=new_holder())
        books = books_of(settings, pool, databases)
        announce_at = {name: each.pool for each in databases for name in each.books}
        store = PostgresStore(pool, redact=redactor.value, announce_at=announce_at)
        teller = Teller(metrics=metrics, health=health, accounts=accounts)
        cycles = {
            name: AccountCycle(
                Tools(
                    account=name,
                    venue=venues[name],
                    book=books[BookName(accounts[name].book)],
                    store=store,
                ),
                judging_of(settings, accounts[name]),
                leases,
                share_for=_share_for(settings),
                redact=redactor.text,
            )
            for name in accounts
        }
        at_once = _turns(accounts)
        every = min(settings.schedule.reconciliation, settings.schedule.order_status_sync)
        patience = {name: Patience(interval=every) for name in accounts}
        yield Assembly(
            settings=settings,
            url=url,
            pool=pool,
            leases=leases,
            venues=venues,
            books=books,
            book_databases=databases,
            reconciliation=ReconciliationService(
                cycles, tell=teller.tell, at_once=at_once, patience=patience
            ),
            order_status_sync=OrderStatusSyncService(
                cycles, tell=teller.tell, at_once=at_once, patience=patience
            ),
            auth_probe=auth_probe_of(
                settings,
                store=store,
                leases=leases,
                health=health,
                metrics=metrics,
                redact=redactor.text,
                books=rejections_of(books),
            ),
            health=health,
            metrics=metrics,
            redactor=redactor,
            teller=teller,
            windows=windows,
        )


def _turns(
    accounts: Mapping[AccountName, AccountSettings],
) -> dict[AccountName, asyncio.Semaphore]:
    """One semaphore for each venue and host."""
    turns: dict[tuple[str, str | None], asyncio.Semaphore] = {}
    return {
        name: turns.setdefault((a.venue, a.base_url), asyncio.Semaphore(AT_ONCE))
        for name, a in accounts.items()
    }


async def _close(venues: Mapping[AccountName, CcxtAccount], shared: SharedConnections) -> None:
    await asyncio.gather(*(venue.close() for venue in venues.values()))
    await shared.close()


def _observer(metrics: Metrics, account: AccountName) -> Observe:
    def observe(call: str, outcome: str, seconds: float) -> None:
        metrics.venue_request(account, call, outcome, seconds)

    return observe


def _share_for(settings: Settings) -> timedelta:
    """Well below an interval: a scheduled look is never skipped, only shared."""
    return 0.4 * min(settings.schedule.reconciliation, settings.schedule.order_status_sync)


def connection_of(name: AccountName, account: AccountSettings) -> AccountConnection:
    """How an account is reached, as the venue adapter takes it."""

    def revealed(field: str) -> str | None:
        value = getattr(account, field)
        return value.get_secret_value() if value is not None else None

    return AccountConnection(
        name=name,
        venue=account.venue,
        api_key=revealed("api_key"),
        secret=revealed("secret"),
        password=revealed("password"),
        uid=account.uid,
        wallet_address=account.wallet_address,
        base_url=account.base_url,
        sandbox=account.sandbox,
        symbols=account.symbols or (),
        timeout=account.timeout,
        rate_share=account.rate_share,
        options=account.options,
    )


def judging_of(settings: Settings, account: AccountSettings) -> Judging:
    """The operator's numbers for one account."""
    orders, positions, guards = settings.orders, settings.positions, settings.guards
    return Judging(
        mode=settings.mode,
        orders=OrderLimits(
            stale_after=orders.stale_after,
            quarantine_after=orders.quarantine_after,
            grace=orders.grace,
            retention=account.retention or retention_of(account.venue),
        ),
        order_confirmations=orders.confirmations,
        order_confirm_after=orders.confirm_after,
        lookups_per_cycle=orders.lookups_per_cycle,
        positions=PositionLimits(
            grace=positions.grace, tolerance_notional=positions.tolerance_notional
        ),
        position_confirmations=positions.confirmations,
        position_confirm_after=positions.confirm_after,
        look_every=settings.schedule.reconciliation,
        contain=frozenset(positions.contain),
        blast=BlastLimits(max_share=guards.max_share, max_count=guards.max_count),
        max_clock_skew=guards.max_clock_skew,
        symbols=account.symbols,
        ignored_symbols=account.ignore.symbols,
        ignored_order_ids=account.ignore.venue_order_ids,
        client_order_id_prefix=account.client_order_id_prefix,
        accounts=tuple(AccountName(name) for name in settings.accounts),
        other_books={
            AccountName(name): BookName(each.book)
            for name, each in settings.accounts.items()
            if each.book != account.book
        },
        ghost_threshold=settings.policy.ghost_threshold_notional,
        escalation=EscalationLimits(
            backlog=settings.escalation.backlog,
            backlog_for=settings.escalation.backlog_for,
            growth_profiles=settings.escalation.growth_profiles,
            longest_gap=2 * max(settings.schedule.order_status_sync, SAMPLE_EVERY),
        ),
    )


async def check_configured(assembly: Assembly) -> None:
    """Refuse a configuration that no venue can be reached with. Asks no venue.

    Raises VenueMisconfiguredError.
    """
    for venue in assembly.venues.values():
        await venue.connect()
