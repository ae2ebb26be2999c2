"""Everything the daemon remembers. Runs before the deploy."""

from reconciler.store.migrations.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the own tables."""
    run_script("0001_own_tables.sql")
