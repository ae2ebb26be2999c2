"""Several books in one daemon, one of them in a database of its own."""

from decimal import Decimal

import pytest

from reconciler.domain.outcome import OutcomeState
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


async def test_a_table_that_was_renamed_names_itself_and_heals(two: TwoBooks) -> None:
    await two.home.once_all()
    await two.away.connection.execute("alter table bot.orders rename to orders_v2")
    outcomes = {str(o.account): o for o in await two.home.once_all()}
    assert outcomes["main"].state is OutcomeState.PARITY
    assert "bot.orders" in outcomes["spare"].sentence
    assert ("book_unreadable", "SEV-2", "open") in await two.home.incidents()
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
