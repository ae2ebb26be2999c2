"""The schedule follows from the venue's budget: what `check` says of it."""

import pytest

from reconciler.service.assembly import assembled
from reconciler.service.checking import Line, run_checks
from reconciler.settings import load_settings
from reconciler.telemetry.redaction import Redactor
from tests.scenarios.setting import Setting

THREE = ("two", "three")


async def _pace_lines(setting: Setting, interval: str) -> list[Line]:
    schedule = {"reconciliation": interval, "order_status_sync": interval}
    settings = load_settings(setting.configure(schedule=schedule))
    async with assembled(settings, Redactor(settings.secret_values())) as assembly:
        lines = await run_checks(assembly)
    return [line for line in lines if line.what.startswith("schedule at")]


async def test_check_says_that_the_budget_holds(setting: Setting) -> None:
    [line] = await _pace_lines(setting, "60s")
    assert (line.level, line.mend) == ("ok", "")
    assert line.what == f"schedule at binanceusdm ({setting.venue.base_url})"
    # 85 of 2400, of which three quarters are for the schedule.
    assert "1 account every 1m as configured" in line.says
    assert "every 2.9s" in line.says


async def test_check_says_what_to_do_where_it_does_not(setting: Setting) -> None:
    for name in THREE:
        setting.add_account(name)
    [line] = await _pace_lines(setting, "5s")
    assert line.level == "warn"
    assert "3 accounts every 5s as configured" in line.says
    assert line.says.endswith(": every 8.5s")
    assert "schedule.reconciliation and order_status_sync" in line.mend
    assert '"8.5s"' in line.mend
    assert "rate_share" in line.mend
    assert "IP address" in line.mend


async def test_check_says_nothing_of_a_venue_that_it_could_not_connect(setting: Setting) -> None:
    setting.sections["accounts"]["main"]["venue"] = "nowhere"
    assert await _pace_lines(setting, "5s") == []


@pytest.mark.parametrize("share", [0.1, 0.5])
async def test_the_smallest_share_of_a_venue_decides(setting: Setting, share: float) -> None:
    setting.add_account("two")
    setting.sections["accounts"]["two"]["rate_share"] = share
    [line] = await _pace_lines(setting, "60s")
    assert f"rate_share {share:g})" in line.says
