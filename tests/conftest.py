"""What every test gets: the databases of `tests.postgres`."""

pytest_plugins = ["tests.postgres"]
