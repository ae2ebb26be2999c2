"""What every test gets: databases of `tests.postgres`, and Hypothesis without surprises in CI."""

import os

from hypothesis import settings

pytest_plugins = ["tests.postgres"]

# New examples are for developers to find; CI tells of a change, not of a dice roll.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("developer", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "developer")
