"""A quarantined order that the bot, or a person, ends in the book itself waits for nobody."""

from tests.scenarios.setting import HOUR, Setting, ago, setting

__all__ = ["setting"]

ETH = "ETH/USDT:USDT"


async def _quarantined(setting: Setting) -> None:
    await setting.order("o1", ETH, "buy", "1", venue_order_id="999999", created_at=ago(25 * HOUR))
    await setting.once()
    assert await setting.incidents() == [("order_quarantined", "SEV-2", "open")]


async def _written(setting: Setting, status: str, *, long_ago: bool = False) -> None:
    at = ago(2 * HOUR) if long_ago else ago(0 * HOUR)
    await setting.connection.execute(
        "update bot.orders set status = $1, updated_at = $2", status, at
    )


async def _is_over(setting: Setting, status: str) -> None:
    assert await setting.incidents() == [("order_quarantined", "SEV-2", "resolved")]
    review = await setting.row("select * from reconciler.quarantine")
    assert (review["review"], review["final_status"]) == ("resolved", status)
    assert review["reviewed_by"] == "the book"
    events = await setting.rows("select event, text from reconciler.incident_events order by id")
    assert events[-1]["event"] == "resolved"
    assert "order o1 was ended in the book itself" in events[-1]["text"]
    assert repr(status) in events[-1]["text"]


async def test_its_review_and_its_incident_end(setting: Setting) -> None:
    await _quarantined(setting)
    await _written(setting, "canceled")
    await setting.once()
    await _is_over(setting, "canceled")


async def test_one_that_was_ended_while_nobody_looked(setting: Setting) -> None:
    await _quarantined(setting)
    await _written(setting, "rejected", long_ago=True)
    await setting.once()
    await _is_over(setting, "rejected")


async def test_one_that_lives_again_in_the_book_waits_for_a_person(setting: Setting) -> None:
    await _quarantined(setting)
    await _written(setting, "open")
    await setting.once()
    assert ("order_quarantined", "SEV-2", "open") in await setting.incidents()
