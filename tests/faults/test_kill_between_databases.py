"""Rule 10 where no transaction spans book and record: killed between any two of the steps."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from reconciler.book.elsewhere import SqlDriver
from reconciler.book.postgres import PostgresBook
from reconciler.cycle import containment, deactivations, intent_stage, order_intents
from reconciler.incidents import quarantine
from reconciler.incidents import written_elsewhere as written
from reconciler.store.intent_record import IntentRecord
from tests.scenarios.elsewhere import TwoBooks, away_url, two
from tests.scenarios.setting import HOUR, Setting, setting

__all__ = ["away_url", "setting", "two"]

ETH = "ETH/USDT:USDT"


class Killed(BaseException):
    """No handler of ours sees it, as none sees a kill -9."""


def _killed(*_: Any, **__: Any) -> Any:
    raise Killed


def _then_killed(work: Callable[..., Any]) -> Callable[..., Any]:
    async def done(*given: Any, **named: Any) -> Any:
        await work(*given, **named)
        raise Killed

    return done


CONTAINING: dict[str, tuple[object, str, Any]] = {
    "intent recorded": (containment, "settle_now", _killed),
    "attempt noted": (deactivations, "_ask", _killed),
    "bot asked": (SqlDriver, "deactivate", _then_killed(SqlDriver.deactivate)),
    "read back": (deactivations, "_note_contained", _killed),
    "recorded": (intent_stage, "settle_profile", _then_killed(deactivations.settle_profile)),
}
WRITING: dict[str, tuple[object, str, Any]] = {
    "intent recorded": (order_intents, "_write_book", _killed),
    "book written, not marked": (PostgresBook, "mark", _killed),
    "marked, not committed": (IntentRecord, "mark", _then_killed(IntentRecord.mark)),
    "book committed": (order_intents, "_finish_here", _killed),
    "recorded": (order_intents, "_finish_here", _then_killed(order_intents._finish_here)),
}


async def _killed_at(
    cut: tuple[object, str, Any], two: TwoBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(*cut)
        with pytest.raises(Killed):
            await two.home.once("spare")


async def _of_a_restart(two: TwoBooks) -> None:
    """An attempt that was noted is not made anew before its back-off is over."""
    await two.home.connection.execute("update reconciler.intents set next_at = now()")
    for _ in range(2):
        await two.home.once("spare")


@pytest.mark.parametrize("cut", CONTAINING)
async def test_a_containment_that_was_cut_short(
    two: TwoBooks, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    two.home.venue.ledger("spare").set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await _killed_at(CONTAINING[cut], two, monkeypatch)
    await _of_a_restart(two)
    assert await two.away.status() == "inactive"
    assert await two.home.incidents() == [("ghost_position", "SEV-1", "open")]
    [incident] = await two.home.rows("select details from reconciler.incidents")
    assert incident["details"]["contained"] == ["p1"]
    assert incident["details"]["containment"] == "confirmed"
    [containment_row] = await two.home.rows("select pending from reconciler.containments")
    assert containment_row["pending"] is False
    await _once_each(two.home, rule="ghost_position")


@pytest.mark.parametrize("cut", WRITING)
async def test_an_order_that_was_cut_short(
    two: TwoBooks, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    await two.away.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id="999999")
    await _killed_at(WRITING[cut], two, monkeypatch)
    await _of_a_restart(two)
    assert await two.away.connection.fetchval("select status from bot.orders") == "unknown"
    assert await two.home.incidents() == [("order_quarantined", "SEV-2", "open")]
    [review] = await two.home.rows("select * from reconciler.quarantine")
    assert (review["order_id"], review["status_before"]) == ("o1", "open")
    [reading] = await two.home.rows("select own_writes from reconciler.readings")
    assert "o1" in reading["own_writes"]
    await _once_each(two.home, rule="quarantine")


BY_HAND: dict[str, tuple[object, str, Any]] = {
    "book written, not marked": (PostgresBook, "mark", _killed),
    "marked, not committed": (IntentRecord, "mark", _then_killed(IntentRecord.mark)),
    "book committed": (quarantine, "write_elsewhere", _then_killed(written.write_elsewhere)),
}


async def _typed_and_killed(
    cut: str, two: TwoBooks, monkeypatch: pytest.MonkeyPatch, *words: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(*BY_HAND[cut])
        with pytest.raises(Killed):
            await two.home.typed("quarantine", *words, "--by", "ann", "--note", "gone")


@pytest.mark.parametrize("cut", BY_HAND)
async def test_an_order_set_aside_by_hand_that_was_cut_short(
    two: TwoBooks, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    """What the book has is recorded without the command being given again; once, where it is."""
    await two.away.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id="9", age=HOUR)
    await _typed_and_killed(cut, two, monkeypatch, "add", "o1")
    await _of_a_restart(two)
    is_written = await two.away.connection.fetchval("select status from bot.orders") == "unknown"
    assert is_written is (cut == "book committed")
    assert len(await two.home.rows("select * from reconciler.audit")) == is_written
    again = await two.home.typed("quarantine", "add", "o1", "--by", "ann", "--note", "gone")
    assert again.code == is_written, again.err
    [review] = await two.home.rows("select * from reconciler.quarantine")
    assert (review["review"], review["reason"]) == ("pending", "by_hand")
    [audit] = await two.home.rows("select * from reconciler.audit")
    assert (audit["rule"], audit["applied"]) == ("quarantine add", True)
    assert (audit["before"]["status"], audit["after"]["status"]) == ("open", "unknown")
    assert await two.home.incidents() == [("order_quarantined", "SEV-2", "open")]
    assert await two.home.rows("select * from reconciler.intents where done_at is null") == []


@pytest.mark.parametrize("cut", BY_HAND)
@pytest.mark.parametrize("is_given_again", [False, True])
async def test_a_review_that_was_cut_short(
    two: TwoBooks, monkeypatch: pytest.MonkeyPatch, cut: str, *, is_given_again: bool
) -> None:
    await two.away.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id="999999")
    await two.home.once("spare")
    words = ("resolve", "o1", "--status", "canceled")
    await _typed_and_killed(cut, two, monkeypatch, *words)
    if is_given_again or cut != "book committed":
        ran = await two.home.typed("quarantine", *words, "--by", "ann", "--note", "gone")
        assert ran.code == 0, ran.err
    await _of_a_restart(two)
    assert await two.away.connection.fetchval("select status from bot.orders") == "canceled"
    [review] = await two.home.rows("select * from reconciler.quarantine")
    assert (review["review"], review["final_status"]) == ("resolved", "canceled")
    assert (review["reviewed_by"], review["note"]) == ("ann", "gone")
    rules = [row["rule"] for row in await two.home.rows("select rule from reconciler.audit")]
    assert sorted(rules) == ["quarantine", "quarantine resolve"]
    assert await two.home.incidents() == [("order_quarantined", "SEV-2", "resolved")]
    assert await two.home.rows("select * from reconciler.intents where done_at is null") == []


async def test_a_bot_that_moves_the_row_meanwhile_hides_no_write_of_ours(
    two: TwoBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the row says what became of it, but the server."""
    await two.away.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id="999999")
    await _killed_at(WRITING["book committed"], two, monkeypatch)
    await two.away.connection.execute("update bot.orders set status = 'canceled'")
    await _of_a_restart(two)
    assert len(await two.home.rows("select * from reconciler.quarantine")) == 1
    await _once_each(two.home, rule="quarantine")


async def test_a_row_that_a_bot_wrote_itself_is_not_recorded_as_ours(
    two: TwoBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two.away.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id="999999")
    await _killed_at(WRITING["marked, not committed"], two, monkeypatch)
    await two.away.connection.execute("update bot.orders set status = 'unknown'")
    await _of_a_restart(two)
    assert await two.home.rows("select * from reconciler.quarantine") == []
    assert await two.home.rows("select * from reconciler.audit") == []


async def _once_each(home: Setting, *, rule: str) -> None:
    """Recorded, told and kept as evidence exactly once, with nothing left open."""
    [audit] = await home.rows("select * from reconciler.audit")
    assert (audit["rule"], audit["applied"]) == (rule, True)
    told = await home.rows("select payload ->> 'event' as event from reconciler.outbox order by id")
    # A bot that ended the row itself ends the incident too, and that is told as well.
    assert [row["event"] for row in told if row["event"] != "incident_resolved"] == [
        "incident_opened"
    ]
    assert len(await home.rows("select * from reconciler.evidence")) == 1
    assert await home.rows("select * from reconciler.intents where done_at is null") == []
