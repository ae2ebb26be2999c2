"""`ReconciliationService`: orders are settled, then positions are judged and ghosts contained."""

from reconciler.jobs.account_job import AccountJob


class ReconciliationService(AccountJob):
    """The runbook's reconciliation: book against venue, in full."""

    name = "reconciliation"
    positions = True
