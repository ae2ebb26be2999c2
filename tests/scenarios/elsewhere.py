"""A second book, `away`, in a database of its own, with the account `spare` on it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import asyncpg
import pytest

from tests.postgres import fresh_database
from tests.scenarios.setting import Setting

CONNECT_WITHIN = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoBooks:
    """The daemon's database with the book `main` in it, and another with the book `away`."""

    home: Setting
    away: Setting
    """The same stage, whose rows of the book are those of the other database."""

    @property
    def ledger(self) -> object:
        """What the venue knows of the account of the book `away`."""
        return self.home.venue.ledger("spare")


@pytest.fixture
def away_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """A database with a native book, which the daemon's own tables are not read in."""
    yield from fresh_database(postgres_url, template=migrated_template)


@pytest.fixture
async def two(setting: Setting, away_url: str) -> AsyncIterator[TwoBooks]:
    """Both books have a profile `p1`; each has one account."""
    connection = await asyncpg.connect(away_url, timeout=CONNECT_WITHIN)
    try:
        setting.add_account("spare")
        setting.sections["accounts"]["spare"]["book"] = "away"
        setting.sections["book"] = {"preset": "native"}
        setting.sections["books"] = {"away": {"url": away_url}}
        away = replace(setting, connection=connection)
        await away.profile("p1", "spare")
        yield TwoBooks(home=setting, away=away)
    finally:
        connection.terminate()
