"""Positions of one look: confirm, guard, contain; one transaction for each ghost."""

from collections.abc import Iterable
from datetime import timedelta

from reconciler.cycle.looking import MIN_REACH, Look
from reconciler.cycle.suspicion_book import POSITION_FAMILY
from reconciler.domain.book import BookReading, Profile
from reconciler.domain.identity import ProfileId
from reconciler.domain.incidents import (
    IncidentDraft,
    IncidentKey,
    IncidentKind,
    OpenIncident,
)
from reconciler.domain.snapshot import ScopeName
from reconciler.domain.verdicts import PositionVerdict, PositionVerdictKind
from reconciler.incidents.evidence import evidence_bundle
from reconciler.rules.blast_radius import why_not_contain
from reconciler.rules.book_changes import changed_at_by_symbol, digests_of, note_changes
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.ghost_positions import Pinning, pin_on_profiles
from reconciler.rules.severity import FIXED, severity_of_position
from reconciler.store.memory import accounts_turned
from reconciler.store.record import Record, writing

Kind = PositionVerdictKind
PINNING_REACH = timedelta(days=30)
"""How far back a row says that a profile trades a symbol."""
TURNED_WINDOW = timedelta(minutes=10)
"""Accounts whose ghosts appear within this time of one another turned "at once" (rule 9)."""
POSITION_KINDS = frozenset(
    {
        IncidentKind.GHOST_POSITION,
        IncidentKind.PHANTOM_POSITION,
        IncidentKind.QUANTITY_MISMATCH,
        IncidentKind.SIDE_MISMATCH,
    }
)


def weigh_positions(look: Look) -> list[PositionVerdict]:
    """Confirm each discrepancy of this look; the confirmed ones."""
    scope = look.snapshot.scope(ScopeName.POSITIONS)
    if scope is None:
        return []
    if scope.failure is not None:
        look.unjudged.append(f"positions: {scope.failure.call}: {scope.failure.detail}")
    confirmed: list[PositionVerdict] = []
    counts: dict[str, int] = {}
    for verdict in look.positions:
        if verdict.kind is Kind.NOT_JUDGED:
            look.unjudged.append(f"{verdict.symbol}: {verdict.reason}")
            look.suspicions.leave(POSITION_FAMILY, verdict.subject)
            _keep_incidents_of(look, verdict)
            look.find(verdict.kind, verdict.subject, verdict.reason, "none")
        elif verdict.kind.is_discrepancy:
            counts[verdict.kind.value] = counts.get(verdict.kind.value, 0) + 1
            _keep_incidents_of(look, verdict)
            if _is_confirmed(look, verdict):
                confirmed.append(verdict)
    if look.snapshot.positions_are_complete():
        look.settled |= POSITION_FAMILY
        look.judged_kinds |= POSITION_KINDS | {IncidentKind.UNAWARE_FILL}
        look.facts.discrepancies = {
            kind.value: counts.get(kind.value, 0) for kind in Kind if kind.is_discrepancy
        }
    return confirmed


def _is_confirmed(look: Look, verdict: PositionVerdict) -> bool:
    look.differs = True
    judging = look.judging
    suspicion = look.suspicions.see(
        verdict.kind.value,
        verdict.subject,
        spacing=judging.position_confirm_after,
        counts=not verdict.explained_by_change,
    )
    if verdict.explained_by_change:
        text = f"{verdict.reason}; the book's rows of it changed just now"
        look.find(verdict.kind, verdict.subject, text, "none")
        return False
    if is_confirmed(suspicion, confirmations=judging.position_confirmations):
        return True
    text = f"{verdict.reason} ({suspicion.count} of {judging.position_confirmations} looks)"
    look.find(verdict.kind, verdict.subject, text, "suspected")
    look.recheck.append(judging.position_confirm_after)
    return False


def _keep_incidents_of(look: Look, verdict: PositionVerdict) -> None:
    """While a symbol is not in parity, none of its incidents heals."""
    for incident in look.memory.incidents:
        about = incident.key.subject.rpartition("|")[0] or str(incident.details.get("symbol"))
        if about == verdict.symbol:
            look.still_there.add((incident.key.kind, incident.key.subject))
    look.still_there.add((IncidentKind.GHOST_POSITION, verdict.subject))


async def act_on_positions(look: Look, confirmed: Iterable[PositionVerdict]) -> None:
    """Contain, or open the incident; a discrepancy that stands and is dealt with costs nothing."""
    standing = {(i.key.kind, i.key.subject): i for i in look.memory.incidents}
    for verdict in confirmed:
        kind = IncidentKind(verdict.kind.value)
        incident = standing.get((kind, verdict.subject))
        contains = verdict.kind.value in look.judging.contain
        if _is_dealt_with(look, verdict, incident, contains=contains):
            look.find(kind, verdict.subject, verdict.reason, _standing_action(incident))
        elif contains:
            await _contain(look, verdict)
        else:
            await _report(look, verdict)


def _is_dealt_with(
    look: Look, verdict: PositionVerdict, incident: OpenIncident | None, *, contains: bool
) -> bool:
    if incident is None or incident.severity is not severity_of_position(verdict):
        return False
    if not contains:
        return True
    if not look.judging.enforces:
        return "would_contain" in incident.details or "contained" in incident.details
    if incident.details.get("held_back") or "contained" not in incident.details:
        return False
    pinned = set(incident.details.get("pinned", ()))
    active = {p.id for p in look.reading.profiles if p.is_active}
    return not (active & pinned if pinned else active)


def _standing_action(incident: OpenIncident | None) -> str:
    contained = incident.details.get("contained") if incident is not None else None
    return "contained" if contained else "incident"


async def _contain(look: Look, verdict: PositionVerdict) -> None:
    """Rule 5, in one transaction: profile, incident, evidence, containment, audit, notice."""
    async with writing(
        look.tools.pool,
        look.lease,
        book=look.tools.book.name,
        run=look.run,
        mode=look.judging.mode,
    ) as record:
        reading = await _read_again(look, record)
        if not _still_so(look, verdict, reading):
            look.find(verdict.kind, verdict.subject, "the book changed meanwhile", "left alone")
            return
        pinning = pin_on_profiles(symbol=verdict.symbol, reading=reading)
        why_held = await _why_held(look, verdict, record)
        inactive: frozenset[ProfileId] = frozenset()
        wanted = [p for p in pinning.profiles if p.is_active]
        if look.judging.enforces and why_held is None and wanted:
            inactive = await look.tools.book.deactivate(record.connection, [p.id for p in wanted])
        draft = _draft(look, verdict, reading, pinning, wanted, inactive, why_held)
        opened = await record.open_incident(draft)
        await _record_containment(look, verdict, record, wanted, inactive, opened.id, why_held)
    _tell(look, verdict, wanted, inactive, why_held, opened.id)


async def _read_again(look: Look, record: Record) -> BookReading:
    """The book once more (3), inside the transaction, far enough back to know who trades it."""
    return await look.tools.book.read_within(
        record.connection,
        look.tools.account,
        reach=max(PINNING_REACH, MIN_REACH),
        symbol_of=look.tools.venue.symbol_of,
    )


def _still_so(look: Look, verdict: PositionVerdict, reading: BookReading) -> bool:
    """The same verdict, from the same snapshot and the book as it is now."""
    noted = note_changes(seen=look.noted, digests=digests_of(reading), now=look.now)
    changed = changed_at_by_symbol(reading=reading, noted=noted, own=look.own_writes)
    return any(
        v.kind is verdict.kind and v.subject == verdict.subject and not v.explained_by_change
        for v in look.judge_positions_of(reading, changed)
    )


async def _why_held(look: Look, verdict: PositionVerdict, record: Record) -> str | None:
    """Rule 9: only when most of at least four accounts turn at once."""
    turned = await accounts_turned(
        record.connection,
        kinds=sorted(look.judging.contain),
        accounts=look.judging.accounts,
        around=look.suspicions.first_seen_at(POSITION_FAMILY, verdict.subject) or look.now,
        window=TURNED_WINDOW,
    )
    return why_not_contain(
        turned={*turned, look.tools.account}, judged=frozenset(look.judging.accounts)
    )


def _draft(  # noqa: PLR0913 - the facts of one containment, named at the only call
    look: Look,
    verdict: PositionVerdict,
    reading: BookReading,
    pinning: Pinning,
    wanted: list[Profile],
    inactive: frozenset[ProfileId],
    why_held: str | None,
) -> IncidentDraft:
    pinned = [p.id for p in pinning.profiles]
    details: dict[str, object] = {
        **_facts(verdict),
        "mode": look.judging.mode,
        "pinned": pinned,
        "certainty": pinning.certainty,
        "order_ids": [
            {"order": o.id, "venue_order": o.venue_order_id, "client_order": o.client_order_id}
            for o in reading.orders
            if o.symbol == verdict.symbol
        ][:20],
        "held_back": why_held,
    }
    if not look.judging.enforces:
        details["would_contain"] = [p.id for p in wanted]
    elif why_held is None:
        details["contained"] = sorted(inactive) or [p.id for p in pinning.profiles]
    return IncidentDraft(
        key=_key(look, verdict),
        severity=severity_of_position(verdict),
        title=_title(look, verdict),
        symbol=verdict.symbol,
        profile_id=pinned[0] if len(pinned) == 1 else None,
        details=details,
        evidence=evidence_bundle(
            reading=reading,
            snapshot=look.snapshot,
            symbol=verdict.symbol,
            verdict=verdict,
            limits={"positions": look.judging.positions},
            changed_at=look.changed_at.get(verdict.symbol),
        ),
    )


async def _record_containment(  # noqa: PLR0913 - as above
    look: Look,
    verdict: PositionVerdict,
    record: Record,
    wanted: list[Profile],
    inactive: frozenset[ProfileId],
    incident_id: int,
    why_held: str | None,
) -> None:
    for profile in wanted:
        if profile.id not in inactive and look.judging.enforces:
            continue
        await record.audit(
            applied=look.judging.enforces,
            rule=verdict.kind.value,
            target="profile",
            target_id=profile.id,
            before={"status": profile.status},
            after={"status": "inactive"},
            incident_id=incident_id,
        )
        if not look.judging.enforces:
            text = f"observe: profile {profile.id} would have been set inactive"
            await record.add_event_once(incident_id, "would_contain", text)
            continue
        again = await record.add_containment(
            profile_id=profile.id,
            incident_id=incident_id,
            reason=verdict.reason,
            status_before=profile.status,
        )
        text = f"profile {profile.id} set inactive" + (" again" if again else "")
        await record.add_event(incident_id, "contained", text)
        await record.announce(
            {
                "event": "profile_contained",
                "profile_id": profile.id,
                "account": look.tools.account,
                "symbol": verdict.symbol,
                "incident_id": incident_id,
            }
        )
    if why_held is not None:
        await record.add_event_once(incident_id, "held_back", why_held)
        await record.open_incident(_mass_change(look, why_held))


def _tell(  # noqa: PLR0913 - as above
    look: Look,
    verdict: PositionVerdict,
    wanted: list[Profile],
    inactive: frozenset[ProfileId],
    why_held: str | None,
    incident_id: int,
) -> None:
    """The line of the outcome, and the numbers, once the transaction is through."""
    look.facts.deactivated += len(inactive)
    if why_held is not None:
        look.facts.guard_trips["mass_containment"] += 1
        look.still_there.add((IncidentKind.MASS_CHANGE, "positions"))
        action = "held back"
    elif not look.judging.enforces:
        action = f"would have contained {', '.join(p.id for p in wanted) or 'nothing'}"
    elif inactive:
        action = "contained"
    else:
        action = "incident"
    look.find(
        verdict.kind,
        verdict.subject,
        verdict.reason,
        action,
        incident_id=incident_id,
        profiles=sorted(inactive),
    )


async def _report(look: Look, verdict: PositionVerdict) -> None:
    """Kinds that do not contain: an incident with its evidence."""
    async with writing(
        look.tools.pool,
        look.lease,
        book=look.tools.book.name,
        run=look.run,
        mode=look.judging.mode,
    ) as record:
        opened = await record.open_incident(
            IncidentDraft(
                key=_key(look, verdict),
                severity=severity_of_position(verdict),
                title=_title(look, verdict),
                symbol=verdict.symbol,
                profile_id=verdict.profile_ids[0] if len(verdict.profile_ids) == 1 else None,
                details={**_facts(verdict), "mode": look.judging.mode},
                evidence=evidence_bundle(
                    reading=look.reading,
                    snapshot=look.snapshot,
                    symbol=verdict.symbol,
                    verdict=verdict,
                    limits={"positions": look.judging.positions},
                    changed_at=look.changed_at.get(verdict.symbol),
                ),
            )
        )
    look.find(verdict.kind, verdict.subject, verdict.reason, "incident", incident_id=opened.id)


def _key(look: Look, verdict: PositionVerdict) -> IncidentKey:
    return IncidentKey(
        kind=IncidentKind(verdict.kind.value),
        book=look.tools.book.name,
        account=look.tools.account,
        subject=verdict.subject,
    )


def _title(look: Look, verdict: PositionVerdict) -> str:
    name = verdict.kind.value.replace("_", " ")
    return f"{name} on {look.tools.account}: {verdict.symbol} {verdict.side}: {verdict.reason}"


def _facts(verdict: PositionVerdict) -> dict[str, object]:
    return {
        "why": verdict.reason,
        "symbol": verdict.symbol,
        "side": verdict.side,
        "venue_qty": verdict.venue_qty,
        "book_qty": verdict.book_qty,
        "notional": verdict.notional,
        "profiles": list(verdict.profile_ids),
    }


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
