"""What a script sees of `reconciler once`: 0, 1, 2, 3, and never a traceback."""

from decimal import Decimal
from urllib.parse import urlsplit

from reconciler.simulation.venue import Fault
from tests.scenarios.setting import Ran, Setting


def _plain(ran: Ran, code: int) -> None:
    assert ran.code == code, ran
    assert "Traceback" not in ran.err + ran.out, ran


async def test_an_unknown_account_is_bad_usage(setting: Setting) -> None:
    ran = await setting.command("once", "--account", "nobody")
    _plain(ran, 2)
    assert "known: main" in ran.err


async def test_a_bad_value_is_bad_configuration(setting: Setting) -> None:
    setting.configure(positions={"confirmations": "many"})
    ran = await setting.command("once")
    _plain(ran, 2)
    assert "positions.confirmations" in ran.err


async def test_no_account_and_no_database_are_bad_configuration(setting: Setting) -> None:
    setting.configure(accounts={"main": {}})
    setting.sections["accounts"] = {}
    _plain(await setting.command("once"), 2)
    setting.sections = {}
    ran = await setting.command("once")
    _plain(ran, 2)
    assert "DATABASE_URL" in ran.err


async def test_an_unknown_venue_is_bad_configuration(setting: Setting) -> None:
    """Also where the database is away: told before anything is asked."""
    setting.sections["accounts"]["main"]["venue"] = "mtgox"
    setting.configure(database={"url": "postgresql://postgres@127.0.0.1:1/postgres"})
    ran = await setting.command("once")
    _plain(ran, 2)
    assert "accounts.main.venue" in ran.err


async def test_an_unknown_preset_is_bad_configuration(setting: Setting) -> None:
    setting.configure(book={"preset": "nothing"})
    ran = await setting.command("once")
    _plain(ran, 2)
    assert "book.preset" in ran.err


async def test_a_database_that_is_away_is_3(setting: Setting) -> None:
    setting.configure(database={"url": "postgresql://postgres@127.0.0.1:1/postgres"})
    _plain(await setting.command("once"), 3)


async def test_a_database_that_refuses_us_is_3(setting: Setting) -> None:
    """No schema, and no right to make one."""
    await setting.connection.execute(
        """
        drop schema reconciler cascade;
        do $$ begin create role reader login; exception when duplicate_object then null; end $$
        """
    )
    url = urlsplit(setting.url)._replace(netloc=setting.url.split("@")[1].split("/")[0])
    setting.configure(database={"url": url.geturl().replace("//", "//reader@", 1)})
    ran = await setting.command("once")
    _plain(ran, 3)
    assert "permission denied" in ran.err


async def test_3_outranks_1_and_one_account_does_not_hide_another(setting: Setting) -> None:
    """A ghost on `main`, no answer for `two`: the ghost is contained all the same."""
    setting.add_account("two")
    await setting.profile("p2", account="two")
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    setting.venue.faults.set(Fault.status(524), "positions", account="two")
    ran = await setting.command("once")
    _plain(ran, 3)
    states = {name: told["state"] for name, told in ran.report["accounts"].items()}
    assert states == {"main": "discrepancy", "two": "not_judged"}
    assert (await setting.status("p1"), await setting.status("p2")) == ("inactive", "active")


async def test_a_fresh_database_is_migrated_by_once(setting: Setting) -> None:
    await setting.connection.execute("drop schema reconciler cascade")
    _plain(await setting.command("once"), 0)
    assert await setting.incidents() == []


async def test_help_names_the_exit_codes(setting: Setting) -> None:
    ran = await setting.command("once", "--help")
    _plain(ran, 0)
    assert "Exit 0 parity" in ran.out
