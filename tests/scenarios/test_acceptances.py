"""A held mass change that a person lets through: once, whole, and by nobody's mistake."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.scenarios.setting import Setting, ago

ETH = "ETH/USDT:USDT"
COUNT = 30


async def _held(setting: Setting) -> None:
    setting.sections["escalation"] = {"backlog": 1000}
    for n in range(COUNT):
        await setting.order(f"o{n}", ETH, "buy", "1", venue_order_id=str(999000 + n))
    await setting.once()
    assert await setting.incidents() == [("mass_change", "SEV-1", "open")]


async def _accept(
    setting: Setting, account: str = "main", *, left: timedelta = timedelta(minutes=15)
) -> None:
    await setting.insert(
        "reconciler.acceptances",
        account=account,
        guard="mass_change",
        accepted_by="ADA",
        expires_at=ago(-left),
    )


async def _unknown(setting: Setting) -> int:
    found: int = await setting.connection.fetchval(
        "select count(*) from bot.orders where status = 'unknown'"
    )
    return found


async def _used(setting: Setting) -> bool:
    row = await setting.row("select used_at, used_run from reconciler.acceptances")
    return row["used_at"] is not None and row["used_run"] is not None


@pytest.mark.timeout(90)
async def test_a_mass_change_is_let_through_whole_and_once(setting: Setting) -> None:
    await _held(setting)
    await _accept(setting)
    await setting.once()
    assert await _unknown(setting) == COUNT, "more than one look's lookups"
    assert await _used(setting)
    said = await setting.rows(
        "select e.text from reconciler.incident_events e join reconciler.incidents i "
        "on i.id = e.incident_id where i.kind = 'mass_change' and e.event = 'let_through'"
    )
    assert said
    assert all("ADA" in row["text"] for row in said)
    await setting.once()
    assert ("mass_change", "SEV-1", "resolved") in await setting.incidents()

    await setting.order("later", ETH, "buy", "1", venue_order_id="888")
    await setting.once()
    assert await _unknown(setting) == COUNT + 1, "the rolling hour does not count what was accepted"

    for n in range(COUNT):
        await setting.order(f"n{n}", ETH, "buy", "1", venue_order_id=str(777000 + n))
    await setting.once()
    assert await _unknown(setting) == COUNT + 1, "the leave was for once"


@pytest.mark.timeout(90)
async def test_killed_before_its_end_it_is_unused(setting: Setting) -> None:
    """The mark stands or falls with the writes."""
    await _held(setting)
    await _accept(setting)
    await setting.connection.execute(
        """
        create function pg_temp_fail() returns trigger language plpgsql as
          $$ begin raise exception 'killed'; end $$;
        create trigger kill before update on reconciler.acceptances
          for each row execute function pg_temp_fail();
        """
    )
    before = await setting.book()
    await setting.once()
    waiting = COUNT - await _unknown(setting)
    assert waiting > 0
    assert not await _used(setting)
    if waiting == COUNT:
        assert await setting.book() == before
    await setting.connection.execute("drop trigger kill on reconciler.acceptances")
    await setting.once()
    assert await _unknown(setting) == COUNT
    assert await _used(setting)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("why", ["expired", "other account", "paused", "observe"])
async def test_what_lets_nothing_through(setting: Setting, why: str) -> None:
    await _held(setting)
    if why == "expired":
        await _accept(setting, left=timedelta(seconds=-1))
    else:
        await _accept(setting, "two" if why == "other account" else "main")
    if why == "paused":
        await setting.insert("reconciler.pauses", account="main", paused_by="ADA")
    before = await setting.book()
    await setting.once(mode="observe" if why == "observe" else "enforce")
    assert await setting.book() == before
    assert not await _used(setting)


@pytest.mark.timeout(90)
async def test_it_is_for_what_was_held_when_it_was_given(setting: Setting) -> None:
    await setting.once()
    await _accept(setting)
    await setting.connection.execute(
        "update reconciler.acceptances set accepted_at = now() - interval '1 minute'"
    )
    await _held(setting)
    await setting.once()
    assert await _unknown(setting) == 0, "another change than the one that was let through"
    assert not await _used(setting)
    await _accept(setting)
    await setting.once()
    assert await _unknown(setting) == COUNT


@pytest.mark.timeout(90)
async def test_ghosts_of_most_accounts_are_contained_where_a_person_says_so(
    setting: Setting,
) -> None:
    for n in range(2, 5):
        setting.add_account(f"a{n}")
        await setting.profile(f"p{n}", account=f"a{n}")
    for name in ("main", "a2", "a3"):
        setting.venue.ledger(name).set_position("SOLUSDT", "long", Decimal(1))
    setting.ledger.set_position("BTCUSDT", "long", Decimal(1))
    await setting.once_all()
    await setting.once_all()
    assert await setting.status() == "active"
    await _accept(setting)
    await setting.once_all()
    assert await setting.status("p1") == "inactive"
    assert await setting.status("p2") == "active"
    assert await _used(setting)
    events = await setting.rows(
        "select e.text, i.kind from reconciler.incident_events e join reconciler.incidents i "
        "on i.id = e.incident_id where i.account = 'main' and e.event = 'let_through'"
    )
    assert {e["kind"] for e in events} == {"ghost_position", "mass_change"}
    assert all("ADA" in e["text"] for e in events)
