"""The bus, as a bot has it: ask the running daemon by NOTIFY or by a row, hear what it did."""

import asyncio
import os
import re
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.domain.identity import AccountName
from reconciler.service.assembly import assembled
from reconciler.service.bus import attend
from reconciler.service.requests import Look, Requests
from reconciler.settings import load_settings
from reconciler.telemetry.redaction import Redactor
from tests.faults.running import Running, running
from tests.scenarios.setting import Setting, eventually

pytestmark = pytest.mark.timeout(150)

PAGE = Path(__file__).parents[2] / "docs" / "bus.md"
SELDOM: dict[str, Any] = {"schedule": {"reconciliation": "1h", "order_status_sync": "1h"}}
CONTAINED_WITHIN = 15.0


async def _contained(setting: Setting) -> bool:
    return await setting.status() == "inactive"


@pytest.mark.parametrize(
    "ask",
    [
        "notify reconciler_request, 'main'",
        "notify reconciler_request, 'p1'",
        "insert into reconciler.requests (subject) values ('p1')",
    ],
)
async def test_a_request_starts_a_pass_at_once(setting: Setting, ask: str) -> None:
    async with running(setting, **SELDOM) as daemon:
        await daemon.until_ready()
        await eventually(lambda: _listens(daemon), within=10)
        setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
        await setting.connection.execute(ask)
        await eventually(lambda: _contained(setting), within=CONTAINED_WITHIN, what=daemon.said)
        await daemon.terminate()


async def test_a_flood_of_requests_is_a_few_passes(setting: Setting) -> None:
    async with running(setting, **SELDOM) as daemon:
        await daemon.until_ready()
        await eventually(lambda: _listens(daemon), within=10)
        before = _looks(setting)
        for _ in range(500):
            await setting.connection.execute("notify reconciler_request, 'main'")
        await setting.connection.execute("notify reconciler_request, 'nobody'")
        await setting.connection.execute("notify reconciler_request, 'nobody'")
        await eventually(lambda: "names no account" in daemon.said, within=10)
        await asyncio.sleep(3)
        assert 1 <= _looks(setting) - before <= 4
        assert daemon.said.count("names no account") == 1
        await daemon.terminate()


async def test_the_example_for_a_bot_in_python_runs(setting: Setting) -> None:
    [example] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    async with running(setting, **SELDOM) as daemon:
        await daemon.until_ready()
        await eventually(lambda: _listens(daemon), within=10)
        setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
        bot = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", example),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"DATABASE_URL": setting.url, "LISTEN_FOR": "8"},
        )
        try:
            async with asyncio.timeout(30):
                told, _ = await bot.communicate()
        finally:
            if bot.returncode is None:
                bot.kill()
        await daemon.terminate()
    said = told.decode()
    assert "'event': 'incident_opened'" in said
    assert "'event': 'profile_contained'" in said


async def test_behind_a_pooler_rows_are_polled_and_health_says_so(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.store.listening.POLL_EVERY", timedelta(seconds=0.2))
    asked: list[AccountName] = []

    def soon(_after: timedelta, account: AccountName, _look: Look) -> None:
        asked.append(account)

    async def look(_account: AccountName) -> None:
        """Never run here."""

    settings = load_settings(setting.configure())
    async with assembled(settings, Redactor(settings.secret_values())) as parts:
        attending = asyncio.create_task(attend(parts, Requests(soon, look), polls=True))
        heard_by: dict[str, Any] = {"heard_by": "poll", "up": True, "why": None}
        await eventually(lambda: parts.health.report()["requests"] == heard_by, within=10)
        await setting.connection.execute("notify reconciler_request, 'main'")
        await asyncio.sleep(0.6)
        assert asked == [], "nobody listens"
        await setting.connection.execute("insert into reconciler.requests (subject) values ('p1')")
        await eventually(lambda: asked == ["main"], within=10)
        attending.cancel()
        await asyncio.wait([attending])


async def _listens(daemon: Running) -> bool:
    _, body = await daemon.get("/health")
    return '"requests":{"heard_by":"listen","up":true,"why":null}' in body


def _looks(setting: Setting) -> int:
    return setting.venue.requests.count("positions")
