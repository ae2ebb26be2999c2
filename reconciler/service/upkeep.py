"""What the daemon does beside its passes: notices, reminders, heartbeat, retention."""

import asyncio
import random
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import Any

import structlog

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.domain.identity import AccountName, BookName
from reconciler.jobs.housekeeping import Housekeeping, Retention
from reconciler.notify.channels import channels_of
from reconciler.notify.outbox import Outbox
from reconciler.notify.planning import Surroundings
from reconciler.notify.reminders import remind
from reconciler.service.assembly import Assembly
from reconciler.service.heartbeat import Heartbeat
from reconciler.service.pacing import paces
from reconciler.store.orphans import close_orphans
from reconciler.store.pruning import Pruning

log = structlog.get_logger("reconciler.service")

REMIND_EVERY = timedelta(seconds=15)
"""How late a reminder may be: the first is due after 15 min."""
CLOSE_EVERY = timedelta(minutes=5)
"""What is looked for has been nobody's for an hour."""
HOUSEKEEPING_EVERY = timedelta(hours=1)
FIRST_HOUSEKEEPING = timedelta(minutes=5)
"""After a start: not beside the startup reconciliation."""
JITTER = 0.2
"""So that daemons that were started together do not meet for ever."""
BACK_OFFS = 3
OUTAGE_AT_MOST = timedelta(minutes=10)
"""The first look that fails comes within one interval, as the venue's budget stretches it; those
that confirm it after back-offs of up to one and up to two, as configured. What is complete earlier
is told earlier."""


def outbox_of(parts: Assembly) -> Outbox:
    """The dispatcher of notices; without a channel the log is the channel."""
    urls = [url.get_secret_value() for url in parts.settings.notifications.urls]
    counter = parts.metrics.notifications_total
    return Outbox(
        parts.pool,
        channels_of(urls),
        count=lambda outcome: counter.labels(outcome).inc(),
        around=surroundings_of(parts),
        redact=parts.redactor.text,
    )


def surroundings_of(parts: Assembly) -> Surroundings:
    """What the accounts of notices stand for, and when nobody is to be told of them."""
    accounts = {AccountName(name): a for name, a in parts.settings.accounts.items()}
    return Surroundings(
        venues={name: a.venue for name, a in accounts.items()},
        places={name: f"{a.venue} {a.base_url or ''}".strip() for name, a in accounts.items()},
        books={name: a.book for name, a in accounts.items()},
        open_until=parts.windows.open_until,
        outage_within={
            name: min(
                pace.held.reconciliation + BACK_OFFS * pace.wanted.reconciliation, OUTAGE_AT_MOST
            )
            for pace in paces(parts)
            for name in pace.accounts
        },
    )


def upkeep_of(parts: Assembly) -> Mapping[str, Coroutine[Any, Any, None]]:
    """Everything that goes on until the daemon stops, by name."""
    work: dict[str, Coroutine[Any, Any, None]] = {
        "outbox": outbox_of(parts).run(),
        "reminders": _keep_reminding(parts),
        "housekeeping": _keep_house(parts),
        "orphans": _keep_closing(parts),
    }
    url = parts.settings.notifications.heartbeat_url
    if url is not None:
        heart = Heartbeat(url.get_secret_value(), parts.health, redact=parts.redactor.text)
        work["heartbeat"] = heart.run()
    return work


async def _keep_reminding(parts: Assembly) -> None:
    while True:
        try:
            await remind(parts.pool)
        except DatabaseUnavailableError as error:
            log.warning("[Notify] reminders not written", why=str(error))
        await asyncio.sleep(REMIND_EVERY.total_seconds())


async def tell_orphans(parts: Assembly) -> None:
    """What is open of accounts that the configuration has no more: told, and closed. Never raises
    but CancelledError.
    """
    known = [(BookName(a.book), AccountName(name)) for name, a in parts.settings.accounts.items()]
    holder, redact = parts.leases.holder, parts.redactor.value
    try:
        for said in await close_orphans(parts.pool, known=known, holder=holder, redact=redact):
            log.warning(f"[GHOST] {said}")
    except DatabaseUnavailableError as error:
        log.warning("[Reconcile] open intents not looked through", why=str(error))


async def _keep_closing(parts: Assembly) -> None:
    while True:
        await tell_orphans(parts)
        await asyncio.sleep(CLOSE_EVERY.total_seconds())


async def _keep_house(parts: Assembly) -> None:
    kept = parts.settings.retention
    retention = Retention(
        evidence=kept.evidence,
        runs=kept.runs,
        audit=kept.audit,
        max_bytes=kept.max_megabytes * 1_000_000,
    )
    housekeeping = Housekeeping(Pruning(parts.pool), retention)
    wait = FIRST_HOUSEKEEPING
    while True:
        luck = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
        await asyncio.sleep(wait.total_seconds() * luck)
        deleted = await housekeeping.run()
        parts.metrics.notifications_total.labels("abandoned").inc(deleted.get("abandoned", 0))
        wait = HOUSEKEEPING_EVERY
