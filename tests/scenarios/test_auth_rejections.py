"""Requests that were refused, wherever: counted, and an incident when there are too many."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from tests.faults.running import Running, running
from tests.scenarios.auth_setting import AuthSetting, auth
from tests.scenarios.setting import Setting, ago, eventually

__all__ = ["auth"]

pytestmark = pytest.mark.timeout(120)

ROWS = "select at, code, surface, claims from bot.refusals where at > $1"
WATCHING: dict[str, Any] = {
    "auth": {"rejections": 5, "rejections_within": "1h"},
    "schedule": {"auth_probe": "300ms", "reconciliation": "1h", "order_status_sync": "1h"},
}
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLWEtdG9rZW4"


async def spike(setting: Setting) -> dict[str, Any] | None:
    rows = await setting.rows("select * from reconciler.incidents where subject = 'rejections'")
    return rows[0] if rows else None


async def counted(daemon: Running, surface: str, code: str = "401") -> float:
    """What /metrics says; 0 while nothing answers."""
    _, text = await daemon.get("/metrics")
    name = f'reconciler_auth_rejections_total{{code="{code}",surface="{surface}"}} '
    return next((float(x.removeprefix(name)) for x in text.splitlines() if x.startswith(name)), 0)


def is_at_least(daemon: Running, surface: str, n: int) -> Callable[[], Awaitable[bool]]:
    async def condition() -> bool:
        return await counted(daemon, surface) >= n

    return condition


async def listens(daemon: Running) -> bool:
    _, text = await daemon.get("/health")
    return bool(text) and json.loads(text).get("requests", {}).get("up") is True


@pytest.fixture
async def daemon(setting: Setting) -> AsyncIterator[Running]:
    """Nothing of sign-in is configured; refusals are watched all the same."""
    async with running(setting, **WATCHING) as one:
        await one.until_ready()
        await eventually(lambda: listens(one), within=10)
        yield one


async def test_what_a_bot_reports_on_the_bus(setting: Setting, daemon: Running) -> None:
    claims = {"sub": "u1", "iss": "https://ref.supabase.co/auth/v1", "fingerprint": "0" * 12}
    entry = {"surface": "bot_api", "code": 401, "count": 4, "token": JWT, "claims": claims}
    by_notify = json.dumps({"auth_rejections": [entry]})
    by_row = json.dumps({"auth_rejections": [{"surface": "websocket", "code": 4401, "count": 3}]})
    notify = "select pg_notify('reconciler_request', $1)"
    await setting.connection.execute(notify, by_notify)
    await setting.connection.execute(
        "insert into reconciler.requests (subject) values ($1)", by_row
    )
    found = await eventually(lambda: spike(setting), within=15, what=daemon.said)
    assert (found["kind"], found["severity"]) == ("auth_failure", "SEV-2")
    assert found["details"]["by_surface"] == {"bot_api": 4, "bot_websocket": 3}
    assert found["details"]["failing_claims"] == [
        {"fingerprint": "0" * 12, "issuer": claims["iss"], "user_id": "u1"}
    ]
    assert await counted(daemon, "bot_api") == 4
    assert await counted(daemon, "bot_websocket", "4401") == 3
    assert JWT[:30] not in daemon.said + str(found)


async def test_hostile_reports_harm_nothing(setting: Setting, daemon: Running) -> None:
    notify = "select pg_notify('reconciler_request', $1)"
    nested = '{"auth_rejections": ' + "[" * 7900
    hostile = (
        *("{", "[", "{}", "[[[", '{"a":' * 1590, nested, '{"auth_rejections": [' + "9" * 7900),
        '{"auth_rejections": "' + JWT + '"}',
        json.dumps({"auth_rejections": [{"surface": "x" * 7000, "code": 401, "count": 10**99}]}),
        json.dumps({"auth_rejections": [{"surface": 'a"} 9\n', "code": 401, "count": -3}] * 20}),
    )
    for text in hostile:
        for _ in range(20):
            await setting.connection.execute(notify, text)
    await setting.connection.execute(notify, json.dumps({"auth_rejections": [{"code": 403}]}))

    async def arrived() -> bool:
        return await counted(daemon, "bot_other", "403") == 1

    await eventually(arrived, within=15, what=daemon.said[-2000:])
    assert await counted(daemon, "bot_other") == 20 * 1000
    assert daemon.said.count("not understood, ignored") == 1
    assert JWT[:30] not in daemon.said
    assert "Traceback" not in daemon.said
    _, text = await daemon.get("/metrics")
    assert text.count("reconciler_auth_rejections_total{") == 22
    await daemon.terminate()


async def test_refusals_of_our_own_api(setting: Setting, daemon: Running) -> None:
    url = f"http://127.0.0.1:{daemon.port}/api/status"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {JWT}"}) as http:
        for _ in range(6):
            async with http.get(url) as answer:
                assert answer.status == 401
    found = await eventually(lambda: spike(setting), within=15)
    assert found["details"]["by_surface"] == {"api": 6}
    assert found["title"] == (
        "sign-in is refused often: 6 requests were refused within 60 min (api 6)"
    )


async def test_refusals_of_a_venue(setting: Setting) -> None:
    setting.sections["accounts"]["main"]["secret"] = "rotated since, and not told us"
    often = {**WATCHING["schedule"], "reconciliation": "1s", "order_status_sync": "1s"}
    async with running(setting, **{**WATCHING, "schedule": often}) as daemon:
        found = await eventually(lambda: spike(setting), within=30, what=daemon.said)
        assert set(found["details"]["by_surface"]) == {"venue"}


async def test_few_refusals_are_no_spike(setting: Setting, daemon: Running) -> None:
    report = json.dumps({"auth_rejections": [{"surface": "bot_api", "code": 401, "count": 5}]})
    await setting.connection.execute("select pg_notify('reconciler_request', $1)", report)
    await eventually(is_at_least(daemon, "bot_api", 5), within=10)
    await _runs(daemon, 3)
    assert await spike(setting) is None


async def _runs(daemon: Running, more: int) -> None:
    """So many further runs of the probe's job."""
    name = 'reconciler_cycles_total{account="auth:supabase",job="auth_probe",outcome="parity"} '

    async def done() -> float:
        _, text = await daemon.get("/metrics")
        lines = (x.removeprefix(name) for x in text.splitlines() if x.startswith(name))
        return float(next(lines, "0"))

    before = await done()

    async def enough() -> bool:
        return await done() >= before + more

    await eventually(enough, within=20, what=daemon.said[-2000:])


# Rows of the bot's own table.


async def refusals(setting: Setting, count: int, *, age: timedelta = timedelta(0)) -> None:
    claims = json.dumps({"sub": "u1", "token": JWT})
    for _ in range(count):
        await setting.insert(
            "bot.refusals", at=ago(age), code=401, surface="bot_api", claims=claims
        )


@pytest.fixture
async def table(setting: Setting) -> Setting:
    await setting.connection.execute(
        "create table bot.refusals (at timestamptz default now(), code int, surface text,"
        " claims jsonb)"
    )
    setting.configure(book={"auth": {"rejections": ROWS}})
    return setting


async def test_rows_of_the_bot_are_counted_once_over_restarts(table: Setting) -> None:
    await refusals(table, 4, age=timedelta(minutes=1))
    await refusals(table, 100, age=timedelta(hours=2))
    for expected in (4, 0, 1):
        async with running(table, **WATCHING) as daemon:
            await daemon.until_ready()
            await eventually(is_at_least(daemon, "bot_api", expected), within=10)
            await _runs(daemon, 3)
            assert await counted(daemon, "bot_api") == expected
            await daemon.terminate()
        assert await spike(table) is None
        if expected == 0:
            await refusals(table, 1, age=timedelta(seconds=15))
    # Five of them are within the hour: over restarts, the sixth is too many.
    await refusals(table, 1)
    async with running(table, **WATCHING) as daemon:
        found = await eventually(lambda: spike(table), within=20, what=daemon.said)
    assert found["details"]["by_surface"] == {"bot_api": 6}
    assert found["details"]["failing_claims"] == [{"fingerprint": "not told", "user_id": "u1"}]
    assert JWT not in str(found)


async def test_once_reads_them_too(table: Setting) -> None:
    await refusals(table, 6)
    outcomes = await table.once_all(auth=WATCHING["auth"])
    assert [o.account for o in outcomes] == ["main", "auth:supabase"]
    found = await spike(table)
    assert found is not None
    assert found["details"]["by_surface"] == {"bot_api": 6}


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("select * from bot.no_such_table where at > $1", 'relation "bot.no_such_table"'),
        ("select code, surface from bot.refusals where at > $1", "lacks the column at"),
        ("select at, code, surface from bot.refusals", "takes no time"),
        ("select at::text as at, code, surface from bot.refusals where at > $1", "at is text"),
        ("delete from bot.refusals where at > $1 returning *", "syntax error"),
    ],
)
async def test_a_statement_that_does_not_fit(table: Setting, statement: str, says: str) -> None:
    """It is told, and keeps no account from being judged."""
    await refusals(table, 6)
    table.configure(book={"auth": {"rejections": statement}})
    async with running(table, **WATCHING) as daemon:
        await daemon.until_ready()

        async def told() -> str:
            _, text = await daemon.get("/health")
            degraded = {d["what"]: d["why"] for d in json.loads(text)["degraded"]}
            return str(degraded.get("auth rejections of book main", ""))

        assert says in await eventually(told, within=10, what=daemon.said)
        health = json.loads((await daemon.get("/health"))[1])
        assert health["accounts"]["main"]["last_success"] is not None
    assert await table.connection.fetchval("select count(*) from bot.refusals") == 6
    checked = await table.typed("check", "--json")
    [line] = [row for row in checked.rows if row["what"] == "book main, auth.rejections"]
    assert line["level"] == "fail"


async def test_what_stands_for_the_probe_is_no_spike_as_well(auth: AuthSetting) -> None:
    auth.auth |= {"rejections": 3, "rejections_within": "1h"}
    auth.supabase.keys.legacy_disabled = True
    await auth.probe(6)
    assert await spike(auth.setting) is None
