"""Contained profiles: parity since, released by hand, and whether the bot obeys (rule 5)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from reconciler.cycle.bots import trades_again
from reconciler.cycle.looking import Look
from reconciler.domain.containments import Containment
from reconciler.domain.identity import ProfileId
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind
from reconciler.incidents.evidence import evidence_bundle
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.entries import Entry, find_entries
from reconciler.rules.reenabling import PARITY_SEEN_AGAIN_AFTER, Agreement, judge_agreement
from reconciler.rules.severity import FIXED

KIND = IncidentKind.ENTRY_AFTER_CONTAINMENT
BY_HAND = "by hand"
"""Who released a containment, where the book does not say whose hand it was."""


async def watch_contained(look: Look) -> None:
    """Nothing to do, and nothing asked of anyone, where no profile is contained."""
    if not look.memory.containments:
        return
    await _count_parity(look)
    await _judge_entries(look)


def _confirmed(look: Look) -> list[Containment]:
    """A bot that has not confirmed yet that it stopped neither agrees nor disobeys."""
    return [c for c in look.memory.containments if not c.pending]


async def _count_parity(look: Look) -> None:
    """One more look that agrees, or start over; once enough have agreed, seldom a write."""
    needed = look.judging.position_confirmations
    active = {p.id for p in look.reading.profiles if p.is_active}
    kept: list[Containment] = []
    released: list[Containment] = []
    for containment in _confirmed(look):
        agreement = judge_agreement(
            containment=containment,
            reading=look.reading,
            snapshot=look.snapshot,
            verdicts=look.positions,
        )
        counted = _counted(look, containment, agreement)
        if counted != containment:
            kept.append(counted)
        enough = counted.parity_streak >= needed
        if enough and agreement is Agreement.AGREES and counted.profile_id in active:
            released.append(counted)
        if agreement is Agreement.AGREES and not enough:
            look.recheck.append(look.judging.position_confirm_after)
    if not kept and not released:
        return
    again = trades_again(look.tools.book)
    async with look.writing() as record:
        if kept:
            await record.keep_parity(kept)
        for containment in released:
            why = (
                f"profile {containment.profile_id} {again}, and its positions agree: no longer "
                "contained"
            )
            await record.release_containment(containment, by=BY_HAND, why=why)
    for containment in released:
        text = f"profile {containment.profile_id} {again}: no longer contained"
        look.find("containment", containment.profile_id, text, "released")


def _counted(look: Look, containment: Containment, agreement: Agreement) -> Containment:
    judging, seen_at = look.judging, containment.parity_seen_at
    if agreement is Agreement.DIFFERS and containment.parity_streak > 0:
        return replace(containment, parity_streak=0, parity_seen_at=None)
    if agreement is not Agreement.AGREES or look.now <= containment.contained_at:
        return containment
    if containment.parity_streak >= judging.position_confirmations:
        is_fresh = seen_at is not None and look.now - seen_at < PARITY_SEEN_AGAIN_AFTER
        return containment if is_fresh else replace(containment, parity_seen_at=look.now)
    if seen_at is not None and look.now - seen_at < judging.position_confirm_after:
        return containment
    streak = containment.parity_streak + 1
    return replace(containment, parity_streak=streak, parity_seen_at=look.now)


async def _judge_entries(look: Look) -> None:
    """A confirmed entry is an incident of its profile, which a person ends. What closes a position
    is known only where the positions are.
    """
    if not look.snapshot.positions_are_complete():
        return
    look.settled.add(KIND)
    found: dict[ProfileId, list[Entry]] = defaultdict(list)
    for entry in find_entries(
        containments=_confirmed(look), reading=look.reading, snapshot=look.snapshot
    ):
        found[entry.profile_id].append(entry)
    standing = {i.key.subject: i for i in look.memory.incidents if i.key.kind is KIND}
    for profile_id, entries in found.items():
        look.differs = True
        incident = standing.get(profile_id)
        known = set(incident.details.get("entries", ())) if incident is not None else set()
        if incident is not None and {e.id for e in entries} <= known:
            look.find(KIND, profile_id, entries[0].reason, "incident open")
        elif incident is not None or _is_confirmed(look, entries):
            await _open(look, profile_id, entries, known)


def _is_confirmed(look: Look, entries: Sequence[Entry]) -> bool:
    judging, first = look.judging, entries[0]
    seen = look.suspicions.see(KIND, first.profile_id, spacing=judging.position_confirm_after)
    if is_confirmed(seen, confirmations=judging.position_confirmations):
        return True
    text = f"{first.reason} ({seen.count} of {judging.position_confirmations} looks)"
    look.find(KIND, first.profile_id, text, "suspected")
    look.recheck.append(judging.position_confirm_after)
    return False


async def _open(
    look: Look, profile_id: ProfileId, entries: Sequence[Entry], known: set[str]
) -> None:
    draft = _draft(look, profile_id, entries, known)
    async with look.writing() as record:
        opened = await record.open_incident(draft)
        for entry in entries:
            if entry.id not in known and not opened.is_new:
                await record.add_event(opened.id, "entered_again", entry.reason)
    look.find(KIND, profile_id, entries[0].reason, "incident", incident_id=opened.id)


def _draft(
    look: Look, profile_id: ProfileId, entries: Sequence[Entry], known: set[str]
) -> IncidentDraft:
    first, account = entries[0], look.tools.account
    its = [c for c in look.memory.containments if c.profile_id == profile_id]
    return IncidentDraft(
        key=IncidentKey(kind=KIND, book=look.tools.book.name, account=account, subject=profile_id),
        severity=FIXED[KIND],
        title=f"profile {profile_id} on {account} entered a trade while contained: {first.symbol}",
        symbol=first.symbol,
        profile_id=profile_id,
        order_id=first.id if first.what == "order" else None,
        details={
            "why": first.reason,
            "mode": look.judging.mode,
            "symbol": first.symbol,
            "entries": sorted({*known, *(e.id for e in entries)}),
            "entered": {f"{e.what} {e.id}": e.reason for e in entries},
            "contained_at": max(c.contained_at for c in its),
            "contained_by": sorted(c.incident_id for c in its if c.incident_id is not None),
            "profiles": [profile_id],
        },
        evidence=evidence_bundle(
            reading=look.reading,
            snapshot=look.snapshot,
            symbol=first.symbol,
            verdict={"entries": [e.reason for e in entries]},
            limits={"positions": look.judging.positions},
        ),
    )
