"""`OrderStatusSyncService`: what became of the bot's orders; stale ones are quarantined."""

from reconciler.jobs.account_job import AccountJob


class OrderStatusSyncService(AccountJob):
    """The runbook's order status sync: orders only."""

    name = "order_status_sync"
    positions = False
