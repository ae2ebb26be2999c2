"""What a spot account held before we looked. Runs before the deploy."""

from reconciler.store.migrations.scripts import run_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the baselines of balances."""
    run_script("0003_baselines.sql")
