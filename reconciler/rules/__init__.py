"""What the runbook says: pure functions over frozen values; time is passed in, nothing is done."""
