"""What people write in the configuration, and what becomes of it."""
