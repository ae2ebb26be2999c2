"""What the scheduler runs, by the runbook's names."""
