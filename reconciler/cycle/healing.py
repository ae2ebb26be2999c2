"""What a look says about the account itself, and incidents that are over."""

from collections.abc import Mapping
from datetime import timedelta

from reconciler.cycle.looking import Look
from reconciler.domain.identity import AccountName, BookName
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind, OpenIncident
from reconciler.domain.snapshot import AnswerKind, Completeness, Failure
from reconciler.ports import Record
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.severity import FIXED

VENUE_KINDS = (IncidentKind.VENUE_UNREACHABLE, IncidentKind.VENUE_AUTH)
ORDER_KINDS = frozenset(
    {IncidentKind.STUCK_ORDER, IncidentKind.ORPHAN_ORDER, IncidentKind.STALE_BACKLOG}
)


def venue_kind(failure: Failure) -> IncidentKind:
    """A refused login is another trouble than an outage."""
    is_auth = failure.kind is AnswerKind.AUTH
    return IncidentKind.VENUE_AUTH if is_auth else IncidentKind.VENUE_UNREACHABLE


def venue_draft(
    failure: Failure, *, account: AccountName, book: BookName, kind: IncidentKind
) -> IncidentDraft:
    """The incident of an account whose venue does not answer as it must."""
    what = "refuses our key" if kind is IncidentKind.VENUE_AUTH else "does not answer"
    return IncidentDraft(
        key=IncidentKey(kind=kind, book=book, account=account, subject=""),
        severity=FIXED[kind],
        title=f"account {account}: the venue {what} ({failure.call}: {failure.detail})",
        details={"call": failure.call, "answer": failure.kind, "why": failure.detail},
    )


def weigh_account(look: Look) -> list[IncidentDraft]:
    """Incidents about reaching the venue, and about clocks, that this look confirms."""
    drafts: list[IncidentDraft] = []
    judging = look.judging
    failures: Mapping[IncidentKind, Failure] = {
        venue_kind(scope.failure): scope.failure
        for scope in look.snapshot.scopes.values()
        if scope.failure is not None and scope.completeness is Completeness.FAILED
    }
    for kind in VENUE_KINDS:
        look.settled.add(kind)
        if kind not in failures:
            if not failures:
                look.judged_kinds.add(kind)
            continue
        look.still_there.add((kind, ""))
        seen = look.suspicions.see(kind, "", spacing=judging.position_confirm_after)
        if is_confirmed(seen, confirmations=judging.position_confirmations):
            account, book = look.tools.account, look.tools.book.name
            drafts.append(venue_draft(failures[kind], account=account, book=book, kind=kind))
    look.judged_kinds |= {IncidentKind.CLOCK_SKEW, IncidentKind.BOOK_UNREADABLE}
    look.settled.add(IncidentKind.CLOCK_SKEW)
    drafts.extend(_skews(look))
    drafts.extend(_coverage_gap(look))
    return drafts


def _skews(look: Look) -> list[IncidentDraft]:
    drafts = []
    skews = {
        "database": look.memory.clock_skew,
        "venue": look.snapshot.venue_clock_skew,
        "book": look.reading.clock_skew,
    }
    for source, skew in skews.items():
        if skew is None or abs(skew) <= look.judging.max_clock_skew:
            continue
        look.still_there.add((IncidentKind.CLOCK_SKEW, source))
        seen = look.suspicions.see(
            IncidentKind.CLOCK_SKEW, source, spacing=look.judging.position_confirm_after
        )
        if is_confirmed(seen, confirmations=look.judging.position_confirmations):
            drafts.append(_skew_draft(look, source, skew))
    return drafts


def _skew_draft(look: Look, source: str, skew: timedelta) -> IncidentDraft:
    seconds = skew.total_seconds()
    return IncidentDraft(
        key=IncidentKey(
            kind=IncidentKind.CLOCK_SKEW,
            book=look.tools.book.name,
            account=look.tools.account,
            subject=source,
        ),
        severity=FIXED[IncidentKind.CLOCK_SKEW],
        title=f"account {look.tools.account}: the clock of the {source} differs from this host's "
        f"by {seconds:.0f} s: nothing is judged by its age",
        details={"source": source, "seconds": round(seconds, 3)},
    )


def _coverage_gap(look: Look) -> list[IncidentDraft]:
    """One incident for all that is not watched. A scope that failed says nothing about it."""
    kind = IncidentKind.COVERAGE_GAP
    if any(s.completeness is Completeness.FAILED for s in look.snapshot.scopes.values()):
        return []
    look.judged_kinds.add(kind)
    look.settled.add(kind)
    if not look.gaps:
        return []
    look.still_there.add((kind, ""))
    seen = look.suspicions.see(kind, "", spacing=look.judging.position_confirm_after)
    if not is_confirmed(seen, confirmations=look.judging.position_confirmations):
        return []
    account = look.tools.account
    return [
        IncidentDraft(
            key=IncidentKey(kind=kind, book=look.tools.book.name, account=account, subject=""),
            severity=FIXED[kind],
            title=f"account {account}: {len(look.gaps)} part(s) of it are not covered: "
            f"{look.gaps[0]}",
            details={"gaps": list(look.gaps)},
        )
    ]


def _is_news(draft: IncidentDraft, standing: OpenIncident | None) -> bool:
    """Not open yet, or it lists other gaps than it did."""
    return standing is None or standing.details.get("gaps") != draft.details.get("gaps")


async def settle_account(look: Look, drafts: list[IncidentDraft]) -> None:
    """Open what is confirmed, and count parity for what is not there any more."""
    standing = {(i.key.kind, i.key.subject): i for i in look.memory.incidents}
    new = [d for d in drafts if _is_news(d, standing.get((d.key.kind, d.key.subject)))]
    parity = [i for i in look.memory.incidents if _streak_changes(look, i)]
    if not new and not parity:
        return
    async with look.writing() as record:
        for draft in new:
            opened = await record.open_incident(draft)
            look.find(draft.key.kind, draft.key.subject, draft.title, "incident", id=opened.id)
        for incident in parity:
            await _count_parity(look, incident, record)


def _is_over(look: Look, incident: OpenIncident) -> bool:
    """Judged in full by this look, and not there any more."""
    key = incident.key
    return key.kind in look.judged_kinds and (key.kind, key.subject) not in look.still_there


def _spacing(look: Look, incident: OpenIncident) -> tuple[timedelta, int]:
    judging = look.judging
    if incident.key.kind in ORDER_KINDS:
        return judging.order_confirm_after, judging.order_confirmations
    return judging.position_confirm_after, judging.position_confirmations


def _streak_changes(look: Look, incident: OpenIncident) -> bool:
    if not _is_over(look, incident):
        there = (incident.key.kind, incident.key.subject) in look.still_there
        return there and incident.parity_streak > 0
    spacing, _ = _spacing(look, incident)
    return incident.parity_seen_at is None or look.now - incident.parity_seen_at >= spacing


async def _count_parity(look: Look, incident: OpenIncident, record: Record) -> None:
    if not _is_over(look, incident):
        await record.note_parity(incident, streak=0, at=None)
        return
    _, confirmations = _spacing(look, incident)
    streak = incident.parity_streak + 1
    if streak < confirmations:
        await record.note_parity(incident, streak=streak, at=look.now)
        look.recheck.append(_spacing(look, incident)[0])
        return
    await record.resolve(incident, why=f"parity confirmed by {streak} complete snapshots in a row")
    text = f"{incident.title}: over, parity confirmed"
    look.find(incident.key.kind, incident.key.subject, text, "resolved", id=incident.id)
