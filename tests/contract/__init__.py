"""One suite for the adapters on Postgres and for their twins of the simulation (habit 6)."""
