"""Several books in one daemon, one of them in a database of its own."""

import asyncio
from decimal import Decimal
from functools import partial

import asyncpg
import pytest

from reconciler.book.elsewhere import SqlDriver
from reconciler.book.postgres import SHARE_FOR_SECONDS
from reconciler.domain.errors import DriverFailedError
from reconciler.domain.identity import AccountName
from reconciler.domain.outcome import OutcomeState
from reconciler.service.assembly import assembled
from reconciler.settings import load_settings
from reconciler.telemetry.redaction import Redactor
from tests.scenarios.elsewhere import TwoBooks, away_url, two
from tests.scenarios.setting import HOUR

__all__ = ["away_url", "two"]

ETH = "ETH/USDT:USDT"
GONE = "999999"


def _ghost(two: TwoBooks) -> None:
    two.home.venue.ledger("spare").set_position("SOLUSDT", "short", Decimal(10), Decimal(150))


async def test_a_ghost_is_contained_in_its_own_book(two: TwoBooks) -> None:
    _ghost(two)
    codes = [(await two.home.once("spare")).code for _ in range(3)]
    assert codes == [1, 1, 1]
    assert await two.away.status() == "inactive"
    assert await two.home.status() == "active", "the profile of the same id in another book"
    [incident] = await two.home.rows("select * from reconciler.incidents")
    assert (incident["book"], incident["account"]) == ("away", "spare")
    assert incident["details"]["contained"] == ["p1"]
    assert incident["details"]["containment"] == "confirmed"
    assert incident["details"]["not_contained"] is None
    [containment] = await two.home.rows("select * from reconciler.containments")
    assert (containment["book"], containment["pending"]) == ("away", False)
    [audit] = await two.home.rows("select * from reconciler.audit")
    assert (audit["applied"], audit["target"], audit["book"]) == (True, "profile", "away")
    assert (audit["before"], audit["after"]) == ({"status": "active"}, {"status": "inactive"})
    events = await two.home.rows("select event from reconciler.incident_events order by id")
    assert [e["event"] for e in events] == ["opened", "contained"]
    assert len(await two.home.rows("select * from reconciler.outbox")) == 1


async def test_a_steady_ghost_elsewhere_is_not_asked_about_again(two: TwoBooks) -> None:
    _ghost(two)
    await two.home.once("spare")
    before = await two.home.rows("select xmin::text, id from reconciler.intents")
    book = await two.away.book()
    await two.home.once("spare")
    assert await two.home.rows("select xmin::text, id from reconciler.intents") == before
    assert await two.away.book() == book


@pytest.mark.parametrize("account", ["main", "spare"])
async def test_orders_of_the_same_id_are_told_apart(two: TwoBooks, account: str) -> None:
    for place in (two.home, two.away):
        await place.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id=GONE)
    mine, other = (two.home, two.away) if account == "main" else (two.away, two.home)
    assert [(await two.home.once(account)).code for _ in range(3)] == [1, 0, 0]
    statement = "select status from bot.orders where id = 'o1'"
    assert await mine.connection.fetchval(statement) == "unknown"
    assert await other.connection.fetchval(statement) == "open"
    [review] = await two.home.rows("select * from reconciler.quarantine")
    assert review["book"] == ("main" if account == "main" else "away")
    assert (review["status_before"], review["reason"]) == ("open", "never_seen")
    [audit] = await two.home.rows("select * from reconciler.audit")
    assert (audit["rule"], audit["target_id"], audit["applied"]) == ("quarantine", "o1", True)
    assert len(await two.home.rows("select * from reconciler.outbox")) == 1
    assert len(await two.home.rows("select * from reconciler.evidence")) == 1


async def test_what_the_venue_shows_is_learnt_elsewhere_too(two: TwoBooks) -> None:
    ledger = two.home.venue.ledger("spare")
    placed = ledger.place_order("ETHUSDT", "buy", Decimal(2), Decimal(1500))
    ledger.cancel_order(placed.order_id)
    await two.away.order("o1", ETH, "buy", "2", venue_order_id=str(placed.order_id), age=HOUR)
    await two.home.once("spare")
    row = await two.away.row("select status, filled from bot.orders")
    assert row["status"] == "canceled"
    [intent] = await two.home.rows("select * from reconciler.intents")
    assert (intent["kind"], intent["outcome"], intent["payload"]) == ("update_orders", "done", {})
    [reading] = await two.home.rows("select own_writes from reconciler.readings")
    assert "o1" in reading["own_writes"], "our own write explains nothing"


async def test_a_database_that_is_away_is_the_trouble_of_its_own_accounts(two: TwoBooks) -> None:
    two.home.sections["books"]["away"]["url"] = "postgresql://nobody@127.0.0.1:1/away"
    outcomes = {str(o.account): o for o in await two.home.once_all()}
    assert outcomes["main"].state is OutcomeState.PARITY
    assert outcomes["spare"].state is OutcomeState.NOT_JUDGED
    assert "book away: the database did not answer" in outcomes["spare"].sentence
    for _ in range(2):
        await two.home.once_all()
    [incident] = await two.home.rows("select * from reconciler.incidents")
    assert (incident["kind"], incident["book"]) == ("book_unreadable", "away")
    assert incident["account"] == "spare"


@pytest.mark.parametrize("name", ["home", "away"])
async def test_a_server_that_refuses_to_read_a_book_is_told_and_heals(
    two: TwoBooks, name: str
) -> None:
    """A migration of the bot that holds its table, after the statements were checked."""
    place, account = (two.home, "main") if name == "home" else (two.away, "spare")
    database = await place.connection.fetchval("select current_database()")
    await place.connection.execute(f'alter database "{database}" set statement_timeout = 200')
    settings = load_settings(two.home.configure())
    statement = "select kind, account, status from reconciler.incidents"
    watching = await asyncpg.connect(two.home.url)
    async with assembled(settings, Redactor(())) as parts:
        look = partial(parts.reconciliation.run_now, AccountName(account))
        assert (await look()).state is OutcomeState.PARITY
        async with place.connection.transaction():
            await place.connection.execute("lock table bot.orders in access exclusive mode")
            for _ in range(2):
                await asyncio.sleep(SHARE_FOR_SECONDS)
                outcome = await look()
                assert outcome.state is OutcomeState.NOT_JUDGED
                assert "statement timeout" in outcome.sentence
            told = [tuple(row) for row in await watching.fetch(statement)]
            assert told == [("book_unreadable", account, "open")]
        for _ in range(2):
            await asyncio.sleep(0.1)
            await look()
    assert [row["status"] for row in await watching.fetch(statement)] == ["resolved"]
    watching.terminate()


async def test_lists_hold_what_can_be_read_and_name_the_rest(two: TwoBooks) -> None:
    await two.home.order("o1", ETH, "buy", "1", age=HOUR)
    two.home.sections["books"]["away"]["url"] = "postgresql://nobody@127.0.0.1:1/away"
    for command, row in (("profiles", "p1"), ("orders", "o1")):
        ran = await two.home.typed(command, "list", "--json")
        assert ran.code == 3
        assert [(r["book"], r["id"]) for r in ran.rows] == [("main", row)]
        assert "book away is not in this: the database did not answer" in ran.err
    ran = await two.home.typed("profiles", "list", "--account", "main")
    assert (ran.code, ran.err) == (0, "")
    ran = await two.home.typed("profiles", "list", "--account", "spare")
    assert ran.code == 3
    assert "book away: the database did not answer" in ran.err


async def test_a_profile_of_an_account_that_another_book_is_bound_to_is_told(
    two: TwoBooks,
) -> None:
    await two.home.profile("p9", "spare")
    for _ in range(2):
        await two.home.once("main")
    [incident] = await two.home.rows("select * from reconciler.incidents")
    assert (incident["kind"], incident["account"]) == ("coverage_gap", "main")
    [gap] = incident["details"]["gaps"]
    assert "watched with another book: spare (book away)" in gap


async def test_a_book_that_cannot_be_read_may_have_the_id_too(two: TwoBooks) -> None:
    await two.home.order("o1", ETH, "buy", "1", age=HOUR)
    two.home.sections["books"]["away"]["url"] = "postgresql://nobody@127.0.0.1:1/away"
    assert (await two.home.typed("profiles", "show", "p1", "--json")).code == 0
    add = ("quarantine", "add", "o1", "--by", "ann", "--note", "gone")
    ran = await two.home.typed(*add)
    assert ran.code == 2
    assert "say --book main" in ran.err
    assert (await two.home.typed(*add, "--book", "main")).code == 0
    ran = await two.home.typed("orders", "show", "o2")
    assert ran.code == 3
    assert "book away: the database did not answer" in ran.err


async def test_a_table_that_was_renamed_names_itself_and_heals(two: TwoBooks) -> None:
    await two.home.once_all()
    await two.away.connection.execute("alter table bot.orders rename to orders_v2")
    outcomes = {str(o.account): o for o in await two.home.once_all()}
    assert outcomes["main"].state is OutcomeState.PARITY
    assert "bot.orders" in outcomes["spare"].sentence
    assert ("book_unreadable", "SEV-2", "open") in await two.home.incidents()
    await two.away.connection.execute("create table bot.orders as select id from bot.orders_v2")
    await two.home.once_all()
    [details] = [r["details"] for r in await two.home.rows("select * from reconciler.incidents")]
    assert "profile_id" in details["why"], "what it lacks now, not what it lacked at first"
    await two.away.connection.execute("drop table bot.orders")
    await two.away.connection.execute("alter table bot.orders_v2 rename to orders")
    for _ in range(2):
        await two.home.once_all()
    assert [status for _, _, status in await two.home.incidents()] == ["resolved"]


async def test_events_are_said_where_the_bot_listens(two: TwoBooks) -> None:
    heard: list[str] = []

    def hear(_connection: object, _pid: int, _channel: str, said: object) -> None:
        heard.append(str(said))

    await two.away.connection.add_listener("reconciler_event", hear)
    _ghost(two)
    await two.home.once("spare")
    await two.away.connection.execute("select 1")
    assert any('"profile_contained"' in said for said in heard)


async def test_a_profile_that_a_person_has_trade_again_was_not_enabled_behind_our_back(
    two: TwoBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The book is written, and the answer was lost: the command's own record is to come."""
    _ghost(two)
    await two.home.once("spare")
    two.home.venue.ledger("spare").close_position("SOLUSDT")
    for _ in range(3):
        await two.home.once("spare")

    async def lost(*_: object) -> bool:
        raise DriverFailedError("book away: the connection was lost")

    with monkeypatch.context() as patched:
        patched.setattr(SqlDriver, "is_active", lost)
        ran = await two.home.typed("profiles", "reenable", "p1", "--by", "ann", "--book", "away")
    assert "has not confirmed it" in ran.out
    assert await two.away.status() == "active"
    later = "update reconciler.intents set next_at = now() + interval '1 h'"
    await two.home.connection.execute(later)
    await two.home.once("spare")
    await two.home.connection.execute("update reconciler.intents set next_at = now()")
    await two.home.once("spare")
    row = await two.home.row("select released_by from reconciler.containments")
    assert row["released_by"] == "ann"
    rules = [
        r["rule"] for r in await two.home.rows("select rule from reconciler.audit order by id")
    ]
    assert rules == ["ghost_position", "profiles reenable"]
