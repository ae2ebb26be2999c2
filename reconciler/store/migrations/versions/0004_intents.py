"""Writes to a book in another database, and bots that are asked. Runs before the deploy."""

from reconciler.store.migrations.scripts import run_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the intents, and what a containment remembers of one."""
    run_script("0004_intents.sql")
