"""Rule 5: a confirmed ghost is contained, in one transaction with its incident and evidence."""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from reconciler.cycle.bots import trades_again, with_statuses
from reconciler.cycle.intent_stage import settle_now
from reconciler.cycle.looking import MIN_REACH, Look
from reconciler.cycle.position_drafts import breach_of, facts_of, position_draft
from reconciler.cycle.suspicion_book import POSITION_FAMILY
from reconciler.domain.book import BookReading, Profile
from reconciler.domain.identity import ProfileId, Symbol
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind
from reconciler.domain.intents import Intent, IntentDraft, IntentKind
from reconciler.domain.verdicts import PositionVerdict
from reconciler.ports import Record
from reconciler.rules.blast_radius import why_not_contain
from reconciler.rules.book_changes import changed_at_by_symbol, digests_of, note_changes
from reconciler.rules.ghost_positions import Pinning, pin_on_profiles
from reconciler.rules.severity import FIXED

PINNING_REACH = max(timedelta(days=30), MIN_REACH)
"""How far back a row says that a profile trades a symbol."""
LEAST_WINDOW = timedelta(minutes=1)
"""Looks at many accounts do not begin together: neither at the start, nor under a small budget."""
ORDERS_SHOWN = 20
"""Order ids named in an incident's details; the evidence holds them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Containment:
    """What one containment did, or would have done."""

    verdict: PositionVerdict
    reading: BookReading
    pinning: Pinning
    wanted: tuple[Profile, ...]
    """Pinned and active."""
    inactive: frozenset[ProfileId]
    """Set inactive by us, now."""
    pending: frozenset[ProfileId]
    """Whose bots are asked, once this is recorded."""
    why_held: str | None
    let_through: str | None
    """Why it would have been held, had a person not let it through."""

    def why_not_contained(self, look: Look) -> str | None:
        """Why profiles that were to be set inactive still are not, or None."""
        left = sorted(p.id for p in self.wanted if p.id not in self.inactive | self.pending)
        if not left or self.why_held is not None or not look.judging.enforces:
            return None
        if (why := look.tools.book.why_no_deactivation) is not None:
            return why
        return f"the book's statement left {', '.join(left)} as they were"


async def contain(look: Look, verdict: PositionVerdict, *, is_last: bool) -> None:
    """Profile inactive, incident, evidence, containment, audit, notice: all or nothing.

    `is_last`: of this look. What a person let through is through with it.
    """
    before = await _read_elsewhere(look)
    async with look.acting() as record:
        reading = before or await look.tools.book.read_within(
            record.connection,
            look.tools.account,
            reach=PINNING_REACH,
            symbol_of=look.tools.venue.symbol_of,
        )
        reading = with_statuses(reading, look.told)
        if not _still_so(look, verdict, reading):
            look.find(verdict.kind, verdict.subject, "the book changed meanwhile", "left alone")
            return
        done = await _deactivate(look, verdict, reading, record)
        opened = await record.open_incident(_draft(look, done))
        await _record(look, done, record, opened.id)
        intents = await _intend(look, done, record, opened.id)
        await _note_breach(look, verdict, record, opened.id)
        if done.let_through is not None:
            await _record_let_through(look, done, record, opened.id, is_last=is_last)
    _tell(look, done, opened.id)
    if intents:
        await settle_now(look, intents)


async def _read_elsewhere(look: Look) -> BookReading | None:
    """A book in another database is read before our transaction, which must not wait for it; anew,
    as another account's reading of just now may be older than our answer of the venue.
    """
    book = look.tools.book
    if not book.is_elsewhere:
        return None
    return await book.read_within(
        None, look.tools.account, reach=PINNING_REACH, symbol_of=look.tools.venue.symbol_of
    )


async def _intend(look: Look, done: _Containment, record: Record, incident_id: int) -> list[Intent]:
    """Pending from here on: the containments, and what each bot is to be asked."""
    intents = []
    for profile in done.wanted:
        if profile.id not in done.pending:
            continue
        await record.intents.drop_other(IntentKind.ACTIVATE, profile.id)
        intent = await record.intents.add(
            IntentDraft(
                kind=IntentKind.DEACTIVATE,
                target=profile.id,
                key=secrets.token_hex(16),
                incident_id=incident_id,
                payload={
                    "symbol": done.verdict.symbol,
                    "reason": done.verdict.reason,
                    "rule": done.verdict.kind.value,
                    "status_before": profile.status,
                },
            )
        )
        await _add_containment(look, done, record, profile, incident_id, key=intent.key)
        intents.append(replace(intent, is_wanted=True))
    return intents


def _still_so(look: Look, verdict: PositionVerdict, reading: BookReading) -> bool:
    """The same verdict, from the same snapshot and the book as it is now."""
    noted = note_changes(seen=look.noted, digests=digests_of(reading), now=look.now)
    changed = changed_at_by_symbol(reading=reading, noted=noted, own=look.own_writes)
    return any(
        v.kind is verdict.kind and v.subject == verdict.subject and not v.explained_by_change
        for v in look.judge_positions_of(reading, changed)
    )


async def _deactivate(
    look: Look, verdict: PositionVerdict, reading: BookReading, record: Record
) -> _Containment:
    pinning = pin_on_profiles(symbol=verdict.symbol, reading=reading)
    wanted = tuple(p for p in pinning.profiles if p.is_active)
    why_held, let_through = await _why_held(look, verdict, record), None
    if why_held is not None and look.leave_for("positions") is not None:
        why_held, let_through = None, why_held
    inactive: frozenset[ProfileId] = frozenset()
    pending: frozenset[ProfileId] = frozenset()
    if look.judging.enforces and why_held is None and wanted:
        if look.tools.book.driver is not None:
            pending = frozenset(p.id for p in wanted)
        else:
            inactive = await look.tools.book.deactivate(record.connection, [p.id for p in wanted])
    return _Containment(
        verdict=verdict,
        reading=reading,
        pinning=pinning,
        wanted=wanted,
        inactive=inactive,
        pending=pending,
        why_held=why_held,
        let_through=let_through,
    )


async def _why_held(look: Look, verdict: PositionVerdict, record: Record) -> str | None:
    """Rule 9: only when most of at least four accounts turn at once."""
    turned = await record.accounts_turned(
        kinds=sorted(look.judging.contain),
        accounts=look.judging.accounts,
        around=look.suspicions.first_seen_at(POSITION_FAMILY, verdict.subject) or look.now,
        # A common cause shows in every account's next look; by then their last one has ended.
        window=max(2 * look.judging.look_every, LEAST_WINDOW),
    )
    return why_not_contain(
        turned={*turned, look.tools.account}, judged=frozenset(look.judging.accounts)
    )


def _draft(look: Look, done: _Containment) -> IncidentDraft:
    verdict, pinned = done.verdict, [p.id for p in done.pinning.profiles]
    details: dict[str, object] = {
        **facts_of(verdict),
        "mode": look.judging.mode,
        "pinned": pinned,
        "certainty": done.pinning.certainty,
        "orders": [
            {"id": o.id, "venue_order_id": o.venue_order_id, "client_order_id": o.client_order_id}
            for o in done.reading.orders
            if o.symbol == verdict.symbol
        ][:ORDERS_SHOWN],
        "held_back": done.why_held,
        "not_contained": done.why_not_contained(look),
    }
    if done.pending:
        details["containment"] = "pending"
        details["not_contained"] = "the bot has not confirmed yet that it enters no trade"
    if not look.judging.enforces:
        details["would_contain"] = [p.id for p in done.wanted]
    elif done.why_held is None:
        details["contained"] = sorted(done.inactive)
    return position_draft(look, verdict, reading=done.reading, pinned=pinned, details=details)


async def _record(look: Look, done: _Containment, record: Record, incident_id: int) -> None:
    for profile in done.wanted:
        if not look.judging.enforces:
            text = f"{look.judging.mode}: profile {profile.id} would have been set inactive"
            await record.add_event_once(incident_id, "would_contain", text)
        elif profile.id in done.inactive:
            await _record_contained(look, done, record, profile, incident_id)
        if not look.judging.enforces or profile.id in done.inactive:
            await record.audit(
                applied=look.judging.enforces,
                rule=done.verdict.kind.value,
                target="profile",
                target_id=profile.id,
                before={"status": profile.status},
                after={"status": "inactive"},
                incident_id=incident_id,
            )
    why_not = done.why_not_contained(look)
    if why_not is not None:
        await record.add_event_once(
            incident_id, "not_contained", f"could not be contained: {why_not}"
        )
    if done.why_held is not None:
        await record.add_event_once(incident_id, "held_back", done.why_held)
        await record.open_incident(_mass_change(look, done.why_held))


async def _record_contained(
    look: Look, done: _Containment, record: Record, profile: Profile, incident_id: int
) -> None:
    again = await _add_containment(look, done, record, profile, incident_id)
    text = f"profile {profile.id} set inactive" + (" again" if again else "")
    await record.add_event(incident_id, "contained", text)
    await record.announce(
        {
            "event": "profile_contained",
            "profile_id": profile.id,
            "account": look.tools.account,
            "symbol": done.verdict.symbol,
            "incident_id": incident_id,
        }
    )


async def _add_containment(  # noqa: PLR0917 - the facts of one containment, passed on once
    look: Look,
    done: _Containment,
    record: Record,
    profile: Profile,
    incident_id: int,
    key: str | None = None,
) -> bool:
    """Its row; True if it had been contained for this incident before. `key`: it is pending."""
    again = await record.add_containment(
        profile_id=profile.id,
        incident_id=incident_id,
        reason=done.verdict.reason,
        status_before=profile.status,
        held=_held(look, done.reading),
        driver_key=key,
    )
    if any(c.profile_id == profile.id and not c.pending for c in look.memory.containments):
        name = done.verdict.kind.value.replace("_", " ")
        by_hand = (
            f"profile {profile.id} {trades_again(look.tools.book)} while the {name} of "
            f"{done.verdict.symbol} is there"
        )
        await record.add_event(incident_id, "reenabled_by_hand", by_hand)
    return again


def _held(look: Look, reading: BookReading) -> frozenset[Symbol]:
    """A row that later appears in one of these markets mends something, or comes of an order of
    before; it enters nothing.
    """
    held = {p.symbol for p in look.snapshot.positions} | {o.symbol for o in look.snapshot.orders}
    held |= {p.symbol for p in reading.positions if p.open}
    return frozenset(held | {o.symbol for o in reading.orders if not o.state.is_terminal})


async def _record_let_through(
    look: Look, done: _Containment, record: Record, incident_id: int, *, is_last: bool
) -> None:
    """Who let it through, on both timelines; with the last one, the leave is used up."""
    leave = look.leave_for("positions")
    assert leave is not None
    text = f"let through by {leave.accepted_by}: {done.let_through}"
    held = look.incident_of(IncidentKind.MASS_CHANGE, "positions")
    for told in (incident_id, *([held.id] if held is not None else [])):
        await record.add_event_once(told, "let_through", text)
    if is_last:
        await record.use_acceptance(leave)


def _tell(look: Look, done: _Containment, incident_id: int) -> None:
    """The line of the outcome, and the numbers, once the transaction is through."""
    look.facts.deactivated += len(done.inactive)
    verdict = done.verdict
    if done.let_through is not None:
        look.still_there.add((IncidentKind.MASS_CHANGE, "positions"))
    if done.why_held is not None:
        look.facts.guard_trips["mass_containment"] += 1
        look.still_there.add((IncidentKind.MASS_CHANGE, "positions"))
        action = "held back"
    elif not look.judging.enforces:
        action = f"would have contained {', '.join(p.id for p in done.wanted) or 'nothing'}"
    elif done.why_not_contained(look) is not None:
        action = "not contained"
        look.unjudged.append(f"{verdict.subject}: {done.why_not_contained(look)}")
    elif done.pending:
        action = f"containing {', '.join(sorted(done.pending))}"
    else:
        action = "contained" if done.inactive else "incident"
    look.find(
        verdict.kind,
        verdict.subject,
        verdict.reason,
        action,
        incident_id=incident_id,
        profiles=sorted(done.inactive),
    )


async def report(look: Look, verdict: PositionVerdict) -> None:
    """Kinds that do not contain: an incident with its evidence."""
    await _open(look, verdict, "incident", {})


async def report_uncontained(look: Look, verdict: PositionVerdict, *, why: str) -> None:
    """The book refused the write: people must know that nothing was contained."""
    await _open(look, verdict, "not contained", {"not_contained": why})


async def _open(
    look: Look, verdict: PositionVerdict, action: str, details: dict[str, object]
) -> None:
    draft = position_draft(
        look,
        verdict,
        reading=look.reading,
        pinned=list(verdict.profile_ids),
        details={**facts_of(verdict), "mode": look.judging.mode, **details},
    )
    async with look.writing() as record:
        opened = await record.open_incident(draft)
        if "not_contained" in details:
            text = f"could not be contained: {details['not_contained']}"
            await record.add_event_once(opened.id, "not_contained", text)
        await _note_breach(look, verdict, record, opened.id)
    look.find(verdict.kind, verdict.subject, verdict.reason, action, incident_id=opened.id)


async def report_breach(look: Look, verdict: PositionVerdict, *, action: str) -> None:
    """A ghost that grew to the threshold after its incident was opened."""
    await _open(look, verdict, action, {})


async def _note_breach(
    look: Look, verdict: PositionVerdict, record: Record, incident_id: int
) -> None:
    breach = breach_of(look, verdict)
    if breach is not None:
        await record.add_event_once(incident_id, "threshold", breach.text)


def _mass_change(look: Look, why: str) -> IncidentDraft:
    return IncidentDraft(
        key=IncidentKey(
            kind=IncidentKind.MASS_CHANGE,
            book=look.tools.book.name,
            account=look.tools.account,
            subject="positions",
        ),
        severity=FIXED[IncidentKind.MASS_CHANGE],
        title=f"account {look.tools.account}: mass change over accounts, no profile is contained",
        details={"why": why},
    )
