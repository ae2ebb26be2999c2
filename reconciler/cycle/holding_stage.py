"""Spot holdings of one look: the baseline at first sight, and what cannot be attributed."""

from reconciler.cycle.looking import Look
from reconciler.cycle.suspicion_book import UNATTRIBUTED
from reconciler.domain.snapshot import Completeness, ScopeName
from reconciler.domain.verdicts import HoldingVerdict, HoldingVerdictKind
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.grace import explains
from reconciler.rules.holdings import (
    coin_symbols,
    first_baselines,
    judge_holdings,
    newly_traded,
    settled_in,
)

Kind = HoldingVerdictKind
FAMILY = frozenset({UNATTRIBUTED})
FIRST_READING = "baseline"
"""The suspicion that remembers since when the first baseline waits for a book that stands still."""


async def settle_holdings(look: Look) -> None:
    """Judge what a spot account holds. No incident follows and nobody is contained: coins do not
    say who bought them.
    """
    scope = look.snapshot.scope(ScopeName.BALANCES)
    if scope is None:
        _say_not_covered(look)
        return
    if scope.completeness is not Completeness.COMPLETE:
        why = scope.failure.detail if scope.failure is not None else "not complete"
        look.unjudged.append(f"balances: {why}")
        return
    if not await _has_baselines(look):
        return
    verdicts = _judged(look)
    for verdict in verdicts:
        _weigh(look, verdict)
    look.settled.add(UNATTRIBUTED)
    look.facts.unattributed = sum(1 for v in verdicts if v.kind is Kind.UNATTRIBUTED)


def _say_not_covered(look: Look) -> None:
    coins = coin_symbols({p.symbol for p in look.reading.positions if p.open}, look.snapshot)
    if coins:
        named = ", ".join(sorted(coins))
        look.facts.not_covered += (f"what is held of {named}: balances are not read here",)


async def _has_baselines(look: Look) -> bool:
    """Take them at the first reading, and note which currencies the bot trades; False: not yet."""
    known, is_first = look.memory.baselines or {}, look.memory.baselines is None
    if is_first and _is_moving(look):
        return False
    kept = newly_traded(
        reading=look.reading, snapshot=look.snapshot, ownership=look.ownership, baselines=known
    )
    if is_first:
        kept = first_baselines(
            reading=look.reading, snapshot=look.snapshot, ownership=look.ownership
        )
    if is_first or kept:
        async with look.writing() as record:
            await record.keep_baselines(kept)
    look.baselines = {**known, **{baseline.asset: baseline for baseline in kept}}
    return True


def _is_moving(look: Look) -> bool:
    """A trade under way would become part of the baseline: wait for it, while grace lasts."""
    symbols = {p.symbol for p in look.reading.positions} | {o.symbol for o in look.reading.orders}
    changes = [
        look.changed_at[symbol]
        for symbol in coin_symbols(symbols, look.snapshot)
        if symbol in look.changed_at
    ]
    grace = look.judging.positions.grace
    waits_since = look.suspicions.first_seen_at(frozenset({FIRST_READING}), "")
    if not explains(
        changed_at=max(changes, default=None), first_seen_at=waits_since, now=look.now, grace=grace
    ):
        look.settled.add(FIRST_READING)
        return False
    look.suspicions.see(FIRST_READING, "", spacing=grace, counts=False)
    look.unjudged.append("balances: the baseline waits, as the book's spot rows changed just now")
    return True


def _judged(look: Look) -> tuple[HoldingVerdict, ...]:
    settling = settled_in(look.snapshot) & {
        asset for asset, baseline in look.baselines.items() if baseline.symbol is not None
    }
    if settling:
        named = ", ".join(sorted(settling))
        look.facts.not_covered += (f"what is held of {named}: contracts settle in it",)
    first_seen = {
        asset: at
        for asset in look.baselines
        if (at := look.suspicions.first_seen_at(FAMILY, asset)) is not None
    }
    return judge_holdings(
        reading=look.reading,
        snapshot=look.snapshot,
        ownership=look.ownership,
        baselines=look.baselines,
        changed_at=look.changed_at,
        first_seen=first_seen,
        now=look.now,
        limits=look.judging.positions,
    )


def _weigh(look: Look, verdict: HoldingVerdict) -> None:
    if verdict.kind is Kind.IN_PARITY:
        return
    if verdict.kind is Kind.NOT_JUDGED:
        look.unjudged.append(f"{verdict.asset}: {verdict.reason}")
        look.suspicions.leave(FAMILY, verdict.asset)
        look.find(verdict.kind, verdict.asset, verdict.reason, "none")
        return
    look.differs = True
    judging = look.judging
    seen = look.suspicions.see(
        UNATTRIBUTED,
        verdict.asset,
        spacing=judging.position_confirm_after,
        counts=not verdict.explained_by_change,
    )
    text, action = verdict.reason, "none"
    if verdict.explained_by_change:
        text = f"{text}; the book's rows of it changed just now"
    elif not is_confirmed(seen, confirmations=judging.position_confirmations):
        text = f"{text} ({seen.count} of {judging.position_confirmations} looks)"
        action = "suspected"
        look.recheck.append(judging.position_confirm_after)
    look.find(
        UNATTRIBUTED,
        verdict.asset,
        text,
        action,
        total=f"{verdict.total:f}",
        baseline=f"{verdict.baseline:f}",
        expected=f"{verdict.expected:f}",
        difference=f"{verdict.difference:f}",
    )
