"""`reconciler once`: one full pass and out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from reconciler.cycle.telling import QUIET_ACTIONS
from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.domain.identity import AccountName
from reconciler.domain.leases import Held
from reconciler.domain.outcome import Finding, Outcome, OutcomeState
from reconciler.jobs.auth_probe import AuthProbeService
from reconciler.rules.auth_incidents import AUTH
from reconciler.service.assembly import (
    Assembly,
    NotConfiguredError,
    check_configured,
)
from reconciler.service.upkeep import outbox_of, tell_orphans
from reconciler.store.leases import RENEW_EVERY, Leases
from reconciler.store.migrations import migrate


async def run_once(assembly: Assembly, *, account: str | None) -> tuple[Outcome, ...]:
    """Every account (or one), with as many looks as its suspicions need to be confirmed.

    Raises NotConfiguredError, VenueMisconfiguredError, DatabaseUnavailableError.
    """
    accounts = _chosen(assembly, account)
    await check_configured(assembly)
    await migrate(assembly.url)
    async with _renewing(assembly.leases):
        try:
            outcomes = await asyncio.gather(*(_confirmed(assembly, name) for name in accounts))
            if account is None:
                await tell_orphans(assembly)
            if account is None and assembly.auth_probe.has_work:
                outcomes.append(await _probed(assembly, assembly.auth_probe))
        finally:
            with contextlib.suppress(DatabaseUnavailableError):
                await assembly.leases.release()
    if assembly.settings.notifications.urls:
        with contextlib.suppress(DatabaseUnavailableError):
            await outbox_of(assembly).deliver_due()
    return tuple(outcomes)


def _chosen(assembly: Assembly, account: str | None) -> Sequence[AccountName]:
    if account is None:
        return tuple(assembly.venues)
    if account not in assembly.venues:
        known = ", ".join(sorted(assembly.venues))
        raise NotConfiguredError(f"account {account!r} is not configured; known: {known}")
    return (AccountName(account),)


@contextlib.asynccontextmanager
async def _renewing(leases: Leases) -> AsyncIterator[None]:
    """Looks spaced by `confirm_after` may last longer than a lease.

    Not a TaskGroup: what the body raises must reach the command line as it is.
    """
    renewal = asyncio.create_task(keep_renewing(leases))
    try:
        yield
    finally:
        renewal.cancel()
        await asyncio.wait([renewal])


async def keep_renewing(leases: Leases) -> None:
    """Renew until cancelled; a database that is away is what lapsing is for."""
    while True:
        await asyncio.sleep(RENEW_EVERY.total_seconds())
        with contextlib.suppress(DatabaseUnavailableError):
            await leases.renew()


async def _confirmed(assembly: Assembly, account: AccountName) -> Outcome:
    """Looks until nothing awaits confirmation, at most as many as both kinds need together."""
    lease = await assembly.leases.acquire_unless_alive(account)
    if isinstance(lease, Held):
        text = f"held by another daemon ({lease.holder})"
        return Outcome(account=account, state=OutcomeState.HELD, sentence=text)
    settings = assembly.settings
    looks = settings.orders.confirmations + settings.positions.confirmations
    outcome = await assembly.reconciliation.run_now(account)
    seen = [outcome]
    longest = max(settings.orders.confirm_after, settings.positions.confirm_after)
    while outcome.recheck_after is not None and len(seen) < looks:
        if outcome.recheck_after > longest:  # a bot that does not answer is left to the next run
            break
        await asyncio.sleep(outcome.recheck_after.total_seconds() + _MARGIN.total_seconds())
        outcome = await assembly.reconciliation.run_now(account)
        seen.append(outcome)
    return _sum(seen)


async def _probed(assembly: Assembly, probe: AuthProbeService) -> Outcome:
    """One probe of sign-in: its confirmations are counted over runs."""
    lease = await assembly.leases.acquire_unless_alive(AUTH)
    if isinstance(lease, Held):
        text = f"held by another daemon ({lease.holder})"
        return Outcome(account=AUTH, state=OutcomeState.HELD, sentence=text)
    return await probe.run()


_MARGIN = timedelta(milliseconds=20)
"""The next look counts only after the full spacing by the database clock."""


def _sum(seen: Sequence[Outcome]) -> Outcome:
    """What was found in any look was found; what could not be judged at last could not be."""
    last = seen[-1]
    state = last.state
    if state is OutcomeState.PARITY and any(o.state is OutcomeState.DISCREPANCY for o in seen):
        state = OutcomeState.DISCREPANCY
    findings: dict[str, Finding] = {}
    for outcome in seen:
        for finding in outcome.findings:
            before = findings.get(finding.subject)
            if (
                before is None
                or before.action in QUIET_ACTIONS
                or finding.action not in QUIET_ACTIONS
            ):
                findings[finding.subject] = finding
    acted = tuple(findings.values())
    sentence = (
        last.sentence
        if state is last.state
        else "; ".join(f"{f.kind} {f.subject}: {f.action}" for f in acted[:3])
    )
    return Outcome(account=last.account, state=state, sentence=sentence, findings=acted)
