"""Rule 9: a mass change is likelier a wrong key than reality, and nothing is inferred from it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.simulation.venue import Fault
from tests.scenarios.setting import PROMPT, Setting

ETH = "ETH/USDT:USDT"


async def _missing(setting: Setting, count: int) -> None:
    setting.sections["escalation"] = {"backlog": 1000}  # a backlog is told elsewhere
    for n in range(count):
        await setting.order(f"o{n}", ETH, "buy", "1", venue_order_id=str(999000 + n))


async def _resting(setting: Setting, count: int) -> None:
    for n in range(count):
        placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
        await setting.order(f"r{n}", ETH, "buy", "1", venue_order_id=str(placed.order_id))


@pytest.mark.timeout(90)
async def test_60_old_missing_orders_change_nothing(setting: Setting) -> None:
    await _missing(setting, 60)
    before = await setting.book()
    assert [(await setting.once()).code for _ in range(3)] == [1, 1, 1]
    assert await setting.book() == before
    assert await setting.incidents() == [("mass_change", "SEV-1", "open")]
    assert len(await setting.rows("select * from reconciler.outbox")) == 1
    assert await setting.rows("select * from reconciler.quarantine") == []
    assert await setting.rows("select * from reconciler.audit") == []
    said = (await setting.typed("incidents", "message", "1")).out
    assert "Profiles: p1\n  Symbols: ETH/USDT:USDT\n  Orders: " in said
    assert "and 40 more\n" in said
    evidence = await setting.row("select bundle from reconciler.evidence")
    assert len(evidence["bundle"]["book"]["orders"]) == 60


@pytest.mark.timeout(90)
async def test_the_same_60_by_the_command(setting: Setting) -> None:
    await _missing(setting, 60)
    before = await setting.book()
    ran = await setting.command("once")
    assert ran.code == 1, ran
    assert await setting.book() == before
    assert await setting.incidents() == [("mass_change", "SEV-1", "open")]


@pytest.mark.timeout(90)
async def test_21_of_60_are_within_the_share(setting: Setting) -> None:
    await _missing(setting, 21)
    await _resting(setting, 39)
    for _ in range(4):
        await setting.once(orders=PROMPT["orders"] | {"lookups_per_cycle": 30})
    rows = await setting.rows("select status from bot.orders where id like 'o%'")
    assert {r["status"] for r in rows} == {"unknown"}
    assert not [i for i in await setting.incidents() if i[0] == "mass_change"]


async def test_a_trickle_trips_the_rolling_hour(setting: Setting) -> None:
    """Few at a time, each within the limits: within the hour the sum counts."""
    guards = {"max_count": 3, "max_share": 0.5}
    await _missing(setting, 3)
    await setting.once(guards=guards)
    assert len(await setting.rows("select * from reconciler.quarantine")) == 3
    for n in range(3, 6):
        await setting.order(f"o{n}", ETH, "buy", "1", venue_order_id=str(999000 + n))
    before = await setting.book()
    await setting.once()
    assert await setting.book() == before
    assert ("mass_change", "SEV-1", "open") in await setting.incidents()


async def test_a_mass_change_holds_no_containment_back(setting: Setting) -> None:
    await _missing(setting, 30)
    for symbol in ("BTCUSDT", "SOLUSDT"):
        setting.ledger.set_position(symbol, "long", Decimal(1))
    await setting.once()
    assert await setting.status() == "inactive"
    assert {i[0] for i in await setting.incidents()} == {"mass_change", "ghost_position"}


async def test_a_mass_change_that_is_over_is_resolved(setting: Setting) -> None:
    await _missing(setting, 30)
    await setting.once()
    await setting.connection.execute("update bot.orders set status = 'canceled'")
    for _ in range(2):
        await setting.once()
    assert await setting.incidents() == [("mass_change", "SEV-1", "resolved")]


@pytest.mark.timeout(90)
async def test_most_of_four_accounts_turning_at_once_are_held_back(setting: Setting) -> None:
    """Wrong database or wrong keys: not that many ghosts. Each is an incident all the same."""
    for n in range(2, 5):
        setting.add_account(f"a{n}")
        await setting.profile(f"p{n}", account=f"a{n}")
    for name in ("main", "a2", "a3"):
        setting.venue.ledger(name).set_position("SOLUSDT", "long", Decimal(1))
    before = await setting.book()
    for _ in range(2):
        outcomes = await setting.once_all()
        assert {o.account: o.state.exit_code for o in outcomes} == {
            "main": 1,
            "a2": 1,
            "a3": 1,
            "a4": 0,
        }
    assert await setting.book() == before
    kinds = [i[0] for i in await setting.incidents()]
    assert kinds.count("ghost_position") == 3
    assert "mass_change" in kinds


@pytest.mark.timeout(90)
async def test_accounts_that_turn_one_after_the_other_are_contained(setting: Setting) -> None:
    """More than two looks lie between: that is no common cause."""
    for n in range(2, 5):
        setting.add_account(f"a{n}")
        await setting.profile(f"p{n}", account=f"a{n}")
    for name in ("main", "a2"):
        setting.venue.ledger(name).set_position("SOLUSDT", "long", Decimal(1))
    await setting.once_all()
    await setting.connection.execute(
        "update reconciler.suspicions set first_seen_at = first_seen_at - interval '150 s'"
    )
    setting.venue.ledger("a3").set_position("SOLUSDT", "long", Decimal(1))
    await setting.once_all()
    assert [await setting.status(f"p{n}") for n in range(1, 5)] == [
        *["inactive"] * 3,
        "active",
    ]
    assert "mass_change" not in [i[0] for i in await setting.incidents()]


@pytest.mark.timeout(90)
async def test_one_of_four_accounts_is_contained(setting: Setting) -> None:
    for n in range(2, 5):
        setting.add_account(f"a{n}")
        await setting.profile(f"p{n}", account=f"a{n}")
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    await setting.once_all()
    assert await setting.status("p1") == "inactive"
    assert await setting.status("p2") == "active"


async def test_a_clock_that_is_off_stops_decisions_by_age(setting: Setting) -> None:
    """Rule 13: the venue's clock is minutes away, so nothing is quarantined, and it is said."""
    await setting.order("o1", ETH, "buy", "1", venue_order_id="999999")
    before = await setting.book()
    setting.venue.clock.skew = timedelta(minutes=5)
    for _ in range(3):
        assert (await setting.once()).code in {1, 3}
    assert await setting.book() == before
    assert await setting.rows("select * from reconciler.quarantine") == []
    setting.venue.clock.skew = timedelta(0)
    for _ in range(2):
        await setting.once()
    assert (await setting.row("select status from bot.orders"))["status"] == "unknown"


async def test_a_cut_listing_makes_no_phantom(setting: Setting) -> None:
    """Fewer rows than there are, one look at a time: what is missing comes and goes."""
    for n, symbol in enumerate(("BTCUSDT", "ETHUSDT", "SOLUSDT")):
        setting.ledger.set_position(symbol, "long", Decimal(1))
        await setting.position(f"x{n}", symbol, "long", "1")
    setting.venue.faults.set(Fault.drop_rows(1), "positions", times=1)
    before = await setting.book()
    await setting.once()
    assert await setting.book() == before
    assert await setting.incidents() == []
