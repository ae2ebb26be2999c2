"""What is recorded of one order that was written: as data, so that whoever finishes it can."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.domain.identity import AccountName, BookName
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind, Severity
from reconciler.ports import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """Incident, audit, quarantine row and announcement of one order; each where it has one."""

    order_id: str
    kind: str
    """Of the verdict."""
    reason: str
    word: str
    """The status that is written."""
    filled: str
    state: str
    incident: IncidentDraft | None = None
    audit: Mapping[str, Any] | None = None
    quarantine: Mapping[str, Any] | None = None
    announcement: Mapping[str, Any] | None = None
    review: Mapping[str, str] | None = None
    """What a person said of it: `status`, `by`, `note`."""

    def to_payload(self) -> dict[str, Any]:
        """For an intent."""
        return {
            "order_id": self.order_id,
            "kind": self.kind,
            "reason": self.reason,
            "word": self.word,
            "filled": self.filled,
            "state": self.state,
            "incident": _draft_to_payload(self.incident) if self.incident is not None else None,
            "audit": self.audit,
            "quarantine": self.quarantine,
            "announcement": self.announcement,
            "review": self.review,
        }

    @classmethod
    def from_payload(cls, kept: Mapping[str, Any]) -> "OrderFacts":
        """As another process reads them."""
        incident = kept["incident"]
        draft = _draft_from_payload(incident) if incident is not None else None
        return cls(**{**kept, "incident": draft})


async def keep_facts(
    record: Record, facts: OrderFacts, *, applied: bool
) -> tuple[int | None, bool]:
    """The incident's id, and whether anything of it is news (observe says it at every look)."""
    incident_id, is_news = None, True
    if facts.incident is not None:
        incident_id = (await record.open_incident(facts.incident)).id
    if facts.audit is not None:
        is_news = await record.audit(
            **facts.audit,
            applied=applied,
            target="order",
            target_id=facts.order_id,
            incident_id=incident_id,
        )
    if facts.quarantine is not None and applied:
        assert incident_id is not None
        await record.add_quarantine(
            **facts.quarantine, order_id=facts.order_id, incident_id=incident_id
        )
    if facts.announcement is not None and is_news:
        await record.announce(facts.announcement)
    return incident_id, is_news


def _draft_to_payload(draft: IncidentDraft) -> dict[str, Any]:
    return {
        "kind": draft.key.kind,
        "book": draft.key.book,
        "account": draft.key.account,
        "subject": draft.key.subject,
        "severity": draft.severity,
        "title": draft.title,
        "symbol": draft.symbol,
        "profile_id": draft.profile_id,
        "order_id": draft.order_id,
        "details": draft.details,
        "evidence": draft.evidence,
    }


def _draft_from_payload(kept: Mapping[str, Any]) -> IncidentDraft:
    return IncidentDraft(
        key=IncidentKey(
            kind=IncidentKind(kept["kind"]),
            book=BookName(kept["book"]),
            account=AccountName(kept["account"]),
            subject=kept["subject"],
        ),
        severity=Severity(kept["severity"]),
        title=kept["title"],
        symbol=kept["symbol"],
        profile_id=kept["profile_id"],
        order_id=kept["order_id"],
        details=dict(kept["details"]),
        evidence=kept["evidence"],
    )
