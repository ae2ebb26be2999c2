"""What a pass says in the log."""

import structlog

from reconciler.cycle.looking import Look
from reconciler.domain.outcome import Outcome

log = structlog.get_logger("reconciler.cycle")

TAGS = {
    "quarantine": "[QUARANTINE]",
    "reappeared": "[QUARANTINE]",
    "missing_order": "[OrderSync]",
    "ended": "[OrderSync]",
    "advanced": "[OrderSync]",
    "stuck_order": "[OrderSync]",
    "orphan_order": "[OrderSync]",
    "orders": "[OrderSync]",
    "stale_backlog": "[OrderSync]",
    "order_quarantined": "[QUARANTINE]",
    "entry_after_containment": "[GHOST]",
    "containment": "[GHOST]",
    "inconclusive": "[OrderSync]",
    "unmapped": "[OrderSync]",
    "ghost_position": "[GHOST]",
    "side_mismatch": "[GHOST]",
    "mass_change": "[GUARD]",
    "venue_auth": "[AUTH]",
}
"""The runbook greps for these; everything else is `[Reconcile]`."""

QUIET_ACTIONS = frozenset(
    {"none", "suspected", "contained before", "incident open", "containment pending"}
)
"""Nothing was done in this pass."""


def tell(look: Look, outcome: Outcome, job: str) -> None:
    """One line for each finding, and one for the pass."""
    fields = {"account": look.tools.account, "job": job, "run_id": look.run}
    for finding in outcome.findings:
        write = log.info if finding.action in QUIET_ACTIONS else log.warning
        write(
            f"{TAGS.get(finding.kind, '[Reconcile]')} {finding.text}",
            kind=finding.kind,
            subject=finding.subject,
            action=finding.action,
            **fields,
            **{k: v for k, v in finding.details.items() if k not in fields},
        )
    log.info("[Reconcile] pass done", state=outcome.state.value, **fields)
