"""What people do about incidents. Runs before the deploy."""

from reconciler.store.migrations.scripts import run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the desk, the escalation and the notices remember."""
    run_script("0002_desk.sql")
