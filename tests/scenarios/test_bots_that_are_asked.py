"""Containment through a bot: pending until it confirms, retried, and never silently forgotten."""

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from reconciler.domain.identity import AccountName, BookName
from reconciler.simulation.venue import Fault
from reconciler.store.connecting import Pool, open_pool
from reconciler.store.orphans import close_orphans
from tests.integration.deactivation.receiver import SECRET, Receiver
from tests.scenarios.setting import Setting


@pytest.fixture
async def bot(setting: Setting) -> AsyncIterator[Receiver]:
    """The bot of the book `main`, which takes the webhook; its rows always say `active`."""
    async with Receiver() as receiver:
        setting.sections["book"] = {
            "preset": "native",
            "deactivation": {
                "driver": "webhook",
                "url": f"{receiver.url}/hook",
                "secret": SECRET,
                "confirm_url": f"{receiver.url}/profiles/{{profile_id}}",
            },
        }
        setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
        yield receiver


async def _details(setting: Setting) -> dict[str, Any]:
    found: dict[str, Any] = (await setting.row("select details from reconciler.incidents"))[
        "details"
    ]
    return found


async def _due(setting: Setting) -> None:
    """The back-off is over."""
    await setting.connection.execute("update reconciler.intents set next_at = now()")


async def _applied(setting: Setting) -> int:
    return len(await setting.rows("select * from reconciler.audit where applied"))


async def _events(setting: Setting) -> list[str]:
    rows = await setting.rows("select event from reconciler.incident_events order by id")
    return [row["event"] for row in rows]


async def test_a_bot_that_does_not_answer_is_pending_until_it_does(
    setting: Setting, bot: Receiver
) -> None:
    bot.status = 503
    await setting.once()
    wait = "select next_at < now() + interval '6 seconds' as soon from reconciler.intents"
    assert (await setting.row(wait))["soon"], "asked again soon, not an interval later"
    details = await _details(setting)
    assert details["containment"] == "pending"
    assert "HTTP 503" in details["not_contained"]
    assert SECRET not in str(details)
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
    assert (await setting.row("select pending from reconciler.containments"))["pending"] is True
    assert await _applied(setting) == 0
    [shown] = (await setting.typed("profiles", "list", "--json")).rows
    assert "to be set inactive" in shown["pending"]
    assert "HTTP 503" in shown["pending"]
    for _ in range(3):
        await _due(setting)
        await setting.once()
    assert await _events(setting) == ["opened", "not_contained", "driver_failing"]
    bot.status = 200
    await _due(setting)
    await setting.once()
    assert bot.active["p1"] is False
    details = await _details(setting)
    assert (details["containment"], details["contained"]) == ("confirmed", ["p1"])
    assert details["not_contained"] is None
    assert await _applied(setting) == 1
    assert (await _events(setting))[-1] == "contained"
    assert len(await setting.rows("select * from reconciler.outbox")) == 1
    [shown] = (await setting.typed("profiles", "list", "--json")).rows
    assert (shown["contained"], shown["pending"], shown["active"]) == (True, None, False)


async def test_a_2xx_is_no_proof(setting: Setting, bot: Receiver) -> None:
    bot.told = {"active": True}
    await setting.once()
    assert (await _details(setting))["containment"] == "pending"
    assert "still" in (await _details(setting))["not_contained"]
    assert await _applied(setting) == 0
    await _due(setting)
    await setting.once()
    assert len(set(bot.keys)) == 1, "one key over retries and restarts"


async def test_a_venue_that_is_silent_holds_back_no_containment(
    setting: Setting, bot: Receiver
) -> None:
    bot.status = 503
    await setting.once()
    bot.status = 200
    setting.venue.faults.set(Fault.status(502))
    await _due(setting)
    await setting.once()
    assert bot.active["p1"] is False
    assert (await _details(setting))["containment"] == "confirmed"


async def test_rows_that_always_say_active_are_not_the_bot(setting: Setting, bot: Receiver) -> None:
    await setting.once()
    assert bot.active["p1"] is False
    asked = len(bot.bodies)
    for _ in range(2):
        await setting.once()
    assert len(bot.bodies) == asked
    assert "reenabled_by_hand" not in await _events(setting)


async def test_a_bot_that_is_started_by_hand_beside_the_ghost_is_stopped_again(
    setting: Setting, bot: Receiver
) -> None:
    await setting.once()
    bot.active["p1"] = True
    await setting.once()
    assert bot.active["p1"] is False
    assert "reenabled_by_hand" in await _events(setting)
    assert len(set(bot.keys)) == 2, "another deactivation: the bot must not take it as the first"
    assert len(await setting.rows("select * from reconciler.containments")) == 1


async def test_a_ghost_that_ended_before_the_bot_answered_stops_nobody(
    setting: Setting, bot: Receiver
) -> None:
    bot.status = 503
    await setting.once()
    setting.ledger.close_position("SOLUSDT")
    for _ in range(3):
        await setting.once()
    assert await setting.incidents() == [("ghost_position", "SEV-1", "resolved")]
    bot.status = 200
    for _ in range(2):
        await _due(setting)
        await setting.once()
    assert bot.active["p1"] is True
    row = await setting.row("select released_by from reconciler.containments")
    assert row["released_by"] == "never confirmed"
    assert await setting.rows("select * from reconciler.intents where done_at is null") == []


async def test_reenabling_goes_the_same_way(setting: Setting, bot: Receiver) -> None:
    await setting.once()
    setting.ledger.close_position("SOLUSDT")
    for _ in range(4):
        await setting.once()
    bot.status = 503
    asked = ("profiles", "reenable", "p1", "--by", "ann", "--note", "closed")
    ran = await setting.typed(*asked)
    assert ran.code == 0, ran.err
    assert "has not confirmed it" in ran.out
    assert "HTTP 503" in ran.out
    [shown] = (await setting.typed("profiles", "list", "--json")).rows
    assert (shown["contained"], "to trade again" in shown["pending"]) == (True, True)
    bot.status = 200
    await _due(setting)
    await setting.once()
    assert bot.active["p1"] is True
    row = await setting.row("select released_by from reconciler.containments")
    assert row["released_by"] == "ann"
    assert "reenabled" in await _events(setting)


async def test_reenabling_that_the_bot_confirms_at_once(setting: Setting, bot: Receiver) -> None:
    await setting.once()
    setting.ledger.close_position("SOLUSDT")
    for _ in range(4):
        await setting.once()
    ran = await setting.typed("profiles", "reenable", "p1", "--by", "ann")
    assert ran.code == 0, ran.err
    assert bot.active["p1"] is True
    row = await setting.row("select released_by from reconciler.containments")
    assert row["released_by"] == "ann"
    assert await setting.rows("select * from reconciler.intents where done_at is null") == []


async def test_in_observe_nobody_is_asked(setting: Setting, bot: Receiver) -> None:
    setting.sections["mode"] = "observe"
    for _ in range(2):
        await setting.once()
    assert bot.bodies == []
    assert await setting.rows("select * from reconciler.intents") == []
    assert (await _details(setting))["would_contain"] == ["p1"]


async def test_a_book_that_lost_its_driver_is_contained_in_the_way_it_has_now(
    setting: Setting, bot: Receiver
) -> None:
    bot.status = 503
    await setting.once()
    setting.sections["book"] = {"preset": "native"}
    for _ in range(2):
        await setting.once()
    assert await setting.status() == "inactive"
    details = await _details(setting)
    assert (details["contained"], details["not_contained"]) == (["p1"], None)
    assert details["containment"] is None
    assert await _events(setting) == ["opened", "not_contained", "not_contained", "contained"]
    [intent] = await setting.rows("select * from reconciler.intents")
    assert intent["outcome"] == "abandoned"
    [shown] = (await setting.typed("profiles", "list", "--json")).rows
    assert (shown["contained"], shown["pending"]) == (True, None)


async def test_a_book_that_lost_its_driver_while_a_profile_was_to_trade_again(
    setting: Setting, bot: Receiver
) -> None:
    await setting.once()
    setting.ledger.close_position("SOLUSDT")
    for _ in range(4):
        await setting.once()
    bot.status = 503
    await setting.typed("profiles", "reenable", "p1", "--by", "ann", "--note", "closed")
    setting.sections["book"] = {"preset": "native"}
    await setting.once()
    assert (await _events(setting))[-1] in {"not_reenabled", "released"}
    assert "not_reenabled" in await _events(setting)
    assert await setting.rows("select * from reconciler.intents where done_at is null") == []


async def test_an_account_of_another_name_is_contained_beside_what_is_open_of_the_old(
    setting: Setting, bot: Receiver
) -> None:
    bot.status = 503
    await setting.once()
    setting.sections["accounts"] = {"other": setting.sections["accounts"]["main"]}
    await setting.connection.execute("update bot.profiles set account = 'other'")
    bot.status = 200
    await setting.once("other")
    assert bot.active["p1"] is False
    assert await setting.rows("select * from reconciler.intents where done_at is null") == []


async def test_what_is_open_of_an_account_that_is_gone_is_told_and_closed(
    setting: Setting, bot: Receiver
) -> None:
    bot.status = 503
    await setting.once()
    async with borrowed_pool(setting.url) as pool:
        closing = partial(close_orphans, pool, redact=lambda value: value)
        known = [(BookName("main"), AccountName("main"))]
        assert await closing(known=known, holder="we") == []
        assert await closing(known=[], holder="we") == [], "whoever has it may be starting anew"
        await setting.connection.execute(
            "update reconciler.intents set created_at = now() - interval '61 min'"
        )
        lease = "update reconciler.leases set holder = 'other', expires_at = now() - interval '{}'"
        await setting.connection.execute(lease.format("59 min"))
        assert await closing(known=[], holder="we") == [], "another daemon had it lately"
        await setting.connection.execute(lease.format("61 min"))
        [said] = await closing(known=[], holder="we")
    assert "account main of book main is not configured any more" in said
    assert (await _events(setting))[-1] == "not_contained"
    row = await setting.row("select released_by from reconciler.containments")
    assert row["released_by"] == "never confirmed"
    assert await setting.rows("select * from reconciler.intents where done_at is null") == []


@contextlib.asynccontextmanager
async def borrowed_pool(url: str) -> AsyncIterator[Pool]:
    """A pool of one's own."""
    pool = await open_pool(url, size=1)
    try:
        yield pool
    finally:
        await pool.close()
