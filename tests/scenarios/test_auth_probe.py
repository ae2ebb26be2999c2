"""The probe of sign-in as a job: counted, recorded, healed, one daemon at a time."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from reconciler.domain.leases import Lease
from reconciler.domain.outcome import OutcomeState
from reconciler.jobs.auth_probe import AuthLimits
from reconciler.rules.auth_incidents import AUTH
from reconciler.service.assembly import Assembly
from reconciler.service.auth import tell_misfits
from reconciler.service.checking import run_checks
from reconciler.service.daemon import Daemon
from reconciler.simulation.bot_api import by_project, by_secret
from reconciler.simulation.supabase import Forced
from reconciler.store.leases import Leases
from tests.scenarios.auth_setting import CANARY, AuthSetting, auth, seconds
from tests.scenarios.setting import eventually

__all__ = ["auth"]


async def steps(auth: AuthSetting) -> dict[str, str]:
    """What `check` says of each step."""
    async with auth.running() as (_, parts):
        lines = await run_checks(parts)
    return {
        line.what.removeprefix("sign-in "): f"{line.level} {line.says}"
        for line in lines
        if line.what.startswith("sign-in ")
    }


async def test_all_is_well(auth: AuthSetting) -> None:
    auth.use_bot_token()
    outcome = await auth.probe(1)
    assert outcome.state is OutcomeState.PARITY
    assert outcome.sentence == "sign-in works: 15 steps passed, 0 skipped"
    assert await auth.setting.incidents() == []
    assert auth.bot.trades == 0
    assert auth.bot.bodies == [b""]


@pytest.mark.parametrize("how", ["HS256", "ES256", "opaque keys"])
async def test_every_kind_of_project_passes(auth: AuthSetting, how: str) -> None:
    if how != "HS256":
        auth.supabase.keys.rotate(revoke=True)
    if how == "opaque keys":
        keys = auth.supabase.keys
        keys.legacy_disabled = True
        auth.auth |= {"service_role_key": keys.secret_key, "anon_key": keys.publishable_key}
        del auth.auth["jwt_secret"]
    outcome = await auth.probe(1)
    assert outcome.sentence == "sign-in works: 14 steps passed, 1 skipped"


async def test_the_canary_leaves_no_session_behind(auth: AuthSetting) -> None:
    await auth.probe(2)
    assert auth.supabase.users.sessions == {}


async def test_what_is_not_set_is_skipped(auth: AuthSetting) -> None:
    auth.auth = {"supabase_url": auth.supabase.url, "anon_key": auth.supabase.keys.anon_key}
    outcome = await auth.probe(1)
    assert outcome.sentence == "sign-in works: 2 steps passed, 13 skipped"
    said = await steps(auth)
    assert said["canary_sign_in"] == "ok skipped: auth.canary is not set"
    assert said["bot_trade"] == "ok skipped: auth.bot.url is not set"


async def test_without_supabase_the_bot_is_asked(auth: AuthSetting) -> None:
    auth.auth = {"bot": auth.auth["bot"]}
    outcome = await auth.probe(1)
    assert outcome.state is OutcomeState.PARITY
    assert auth.supabase.asked == []


async def test_nothing_configured_is_no_job(auth: AuthSetting) -> None:
    auth.auth = {}
    [outcome] = await auth.setting.once_all(auth={})
    assert outcome.account == "main"


async def test_the_canary_is_never_the_bots_user(auth: AuthSetting) -> None:
    auth.auth["bot"] |= {"token": auth.supabase.issue(auth.supabase.users.sign_in(*CANARY))}
    await auth.probe(1)
    assert "POST /auth/v1/token" not in auth.supabase.asked


# Confirmation, restarts, classes.


async def test_three_probes_over_restarts(auth: AuthSetting) -> None:
    auth.supabase.is_paused = True
    for expected in (0, 0, 1):
        outcome = await auth.probe(1)
        assert outcome.state is OutcomeState.DISCREPANCY
        assert len(await auth.setting.incidents()) == expected
    assert await auth.found() == ("infra", "SEV-2")


async def test_three_runs_of_once(auth: AuthSetting) -> None:
    auth.supabase.is_paused = True
    for expected in (0, 0, 1):
        outcomes = await auth.setting.once_all(auth=auth.auth)
        assert [o.account for o in outcomes] == ["main", AUTH]
        assert outcomes[1].state.exit_code == 1
        assert len(await auth.setting.incidents()) == expected


async def test_a_probe_that_passes_in_between_starts_over(auth: AuthSetting) -> None:
    for is_paused in (True, True, False, True, True):
        auth.supabase.is_paused = is_paused
        await auth.probe(1)
    assert await auth.setting.incidents() == []


async def test_a_class_that_never_settles_is_inconclusive(auth: AuthSetting) -> None:
    for is_paused in (True, False, True):
        auth.supabase.is_paused = is_paused
        auth.supabase.keys.legacy_disabled = not is_paused
        await auth.probe(1)
    assert await auth.found() == ("inconclusive", "SEV-2")


async def test_answers_that_contradict_one_another(auth: AuthSetting) -> None:
    auth.supabase.forced["/rest/v1/"] = Forced(status=503, body={"code": "PGRST000"})
    auth.auth["canary"] = {"email": CANARY[0], "password": "wrong one here"}
    outcome = await auth.probe(3)
    assert outcome.state is OutcomeState.NOT_JUDGED
    assert await auth.found() == ("inconclusive", "SEV-2")


async def test_a_change_of_class_is_a_timeline_event(auth: AuthSetting) -> None:
    auth.supabase.is_paused = True
    await auth.probe(3)
    auth.supabase.is_paused = False
    auth.supabase.keys.legacy_disabled = True
    await auth.probe(2)
    incident = await auth.incident()
    assert incident["details"]["class"] == "infra"
    assert all(fact.startswith("infra: ") for fact in incident["details"]["facts"])
    await auth.probe(1)
    assert await auth.found() == ("config", "SEV-2")
    assert await auth.events() == ["opened", "class_changed"]
    said = await auth.setting.row(
        "select text from reconciler.incident_events where event = 'class_changed'"
    )
    assert said["text"].startswith("class infra → config: ")


async def test_it_heals_after_three_probes_that_pass(auth: AuthSetting) -> None:
    auth.supabase.is_paused = True
    await auth.probe(3)
    auth.supabase.is_paused = False
    await auth.probe(2)
    assert (await auth.incident())["status"] == "open"
    await auth.probe(1)
    assert (await auth.incident())["status"] == "resolved"
    assert await auth.events() == ["opened", "resolved"]
    events = [r["payload"]["event"] for r in await notices(auth)]
    assert events == ["incident_opened", "incident_resolved"]


async def notices(auth: AuthSetting) -> list[dict[str, Any]]:
    return await auth.setting.rows("select payload from reconciler.outbox order by id")


async def test_a_step_that_cannot_be_judged_does_not_heal(auth: AuthSetting) -> None:
    auth.bot.is_door_open = True
    await auth.probe(3)
    auth.bot.is_door_open = False
    auth.bot.forced["/api/trade"] = (404, {})
    await auth.probe(3)
    assert (await auth.incident())["status"] == "open"


async def test_one_daemon_at_a_time(auth: AuthSetting) -> None:
    async with auth.running() as (probe, parts):
        other = Leases(parts.pool, holder="another daemon")
        assert isinstance(await other.acquire(AUTH), Lease)
        parts.health.degraded("sign-in", "of the time before the other daemon took over")
        outcome = await probe.run()
        assert outcome.state is OutcomeState.HELD
        assert auth.supabase.asked == []
        assert "sign-in" not in degraded(parts)
        await other.release()
        assert (await probe.run()).state is OutcomeState.PARITY


# The bot's own surface.


async def test_a_bot_that_verifies_by_the_old_secret(auth: AuthSetting) -> None:
    auth.bot.why_not = by_secret(auth.supabase.keys.jwt_secret)
    await auth.probe(1)
    auth.supabase.keys.rotate()
    await auth.probe(3)
    incident = await auth.incident()
    assert (incident["details"]["class"], incident["severity"]) == ("config", "SEV-1")
    assert "rotated from HS256" in " ".join(incident["details"]["facts"])


async def test_the_same_seen_for_the_first_time_after_the_rotation(auth: AuthSetting) -> None:
    auth.bot.why_not = by_secret(auth.supabase.keys.jwt_secret)
    auth.supabase.keys.rotate()
    await auth.probe(3)
    assert await auth.found() == ("config", "SEV-1")


async def test_a_deploy_that_breaks_verification(auth: AuthSetting) -> None:
    auth.supabase.keys.rotate()
    await auth.probe(1)
    auth.bot.why_not = lambda _token: "signature verification failed"
    await auth.probe(3)
    assert await auth.found() == ("app_regression", "SEV-1")


async def test_an_expired_bot_token_beside_a_healthy_canary(auth: AuthSetting) -> None:
    token = auth.use_bot_token(lifetime=seconds(-60))
    auth.bot.why_not = by_project(auth.supabase)
    await auth.probe(3)
    incident = await auth.incident()
    details = incident["details"]
    assert (details["class"], incident["severity"]) == ("app_regression", "SEV-2")
    assert set(details["failed_steps"]) == {"bot_token", "bot_status", "bot_websocket"}
    [claims] = details["failing_claims"]
    assert claims["issuer"] == auth.supabase.issuer
    assert claims["audience"] == "authenticated"
    assert claims["algorithm"] == "HS256"
    assert set(claims) >= {"fingerprint", "exp", "user_id"}
    assert token not in str(details)


async def test_an_expired_bot_token_without_anything_to_compare_with(auth: AuthSetting) -> None:
    auth.use_bot_token(lifetime=seconds(-60))
    del auth.auth["canary"]
    await auth.probe(3)
    assert await auth.found() == ("app_regression", "SEV-2")


async def test_no_bad_token_while_nothing_can_be_judged(auth: AuthSetting) -> None:
    auth.use_bot_token(lifetime=seconds(-60))
    auth.supabase.forced["/auth/v1/token"] = Forced(status=503, body={})
    await auth.probe(3)
    assert await auth.found() == ("inconclusive", "SEV-2")


@pytest.mark.parametrize("status", [200, 202, 400, 422])
async def test_an_open_door_is_sev_1(auth: AuthSetting, status: int) -> None:
    auth.bot.forced["/api/trade"] = (status, {"detail": "body required"})
    await auth.probe(3)
    incident = await auth.incident()
    assert (incident["details"]["class"], incident["severity"]) == ("app_regression", "SEV-1")
    assert incident["details"]["open_doors"] == ["bot_trade"]


@pytest.mark.parametrize(
    ("body", "is_open"),
    [
        ({"detail": [{"loc": ["body"], "msg": "Field required"}]}, True),
        ({"detail": [{"loc": ["body", "token"], "msg": "Field required"}]}, True),
        ({"detail": [{"loc": ["body", "api_key"], "msg": "Field required"}]}, True),
        ({"detail": [{"loc": ["header", "authorization"], "msg": "Field required"}]}, False),
        ({"error": "missing bearer token"}, False),
        ({"detail": [3, None, {"loc": 3}]}, True),
        ({}, True),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
async def test_a_request_without_a_token_that_is_called_invalid(
    auth: AuthSetting, status: int, body: dict[str, Any], *, is_open: bool
) -> None:
    auth.bot.forced["/api/trade"] = (status, body)
    async with auth.running() as (probe, _):
        outcome = await probe.run()
    assert ("the door is open" in outcome.sentence) is is_open, outcome.sentence


async def test_a_websocket_without_a_token_is_a_door_too(auth: AuthSetting) -> None:
    auth.bot.is_door_open = True
    await auth.probe(3)
    incident = await auth.incident()
    assert incident["severity"] == "SEV-1"
    assert incident["details"]["open_doors"] == ["bot_trade", "bot_websocket_closed"]
    assert auth.bot.trades == 0


async def test_a_websocket_alone_that_lets_anybody_in(auth: AuthSetting) -> None:
    auth.bot.is_socket_open = True
    await auth.probe(3)
    incident = await auth.incident()
    assert (incident["details"]["class"], incident["severity"]) == ("app_regression", "SEV-1")
    assert incident["details"]["open_doors"] == ["bot_websocket_closed"]


async def test_nobody_can_say_whether_the_token_is_good(auth: AuthSetting) -> None:
    """Supabase is away, and every control endpoint refuses the token: nobody controls the bot."""
    auth.use_bot_token()
    auth.supabase.is_paused = True
    auth.bot.why_not = lambda _token: "cannot verify tokens now"
    await auth.probe(3)
    assert await auth.found() == ("infra", "SEV-1")


async def test_a_websocket_that_is_closed_for_want_of_rights_is_counted(
    auth: AuthSetting,
) -> None:
    auth.bot.closes_sockets_with = 4401
    async with auth.running() as (probe, parts):
        await probe.run()
        text = parts.metrics.render()[0].decode()
    assert 'auth_rejections_total{code="4401",surface="websocket"} 1.0' in text


@pytest.mark.parametrize("status", [404, 405, 500, 302])
async def test_a_door_that_is_neither_open_nor_closed(auth: AuthSetting, status: int) -> None:
    auth.bot.forced["/api/trade"] = (status, {})
    outcome = await auth.probe(3)
    assert outcome.state is OutcomeState.PARITY
    assert f"bot_trade answered {status} without a token" in outcome.sentence
    assert await auth.setting.incidents() == []


async def test_a_bot_that_is_down_is_infra_and_sev_1(auth: AuthSetting) -> None:
    await auth.bot.stop()
    await auth.probe(3)
    assert await auth.found() == ("infra", "SEV-1")


async def test_a_status_that_fails_is_an_application_that_fails(auth: AuthSetting) -> None:
    auth.bot.forced["/api/status"] = (500, {})
    await auth.probe(3)
    assert await auth.found() == ("app_regression", "SEV-2")  # the WebSocket works


async def test_degraded_fields_are_quoted(auth: AuthSetting) -> None:
    auth.bot.degraded = [{"what": "supabase", "why": "token refresh failed"}]
    said = await steps(auth)
    assert said["bot_ready"] == "ok passed (degraded: supabase: token refresh failed)"
    auth.bot.is_ready = False
    await auth.probe(3)
    facts = (await auth.incident())["details"]["facts"]
    assert any("supabase: token refresh failed" in fact for fact in facts)


async def test_supabases_trouble_explains_the_bots(auth: AuthSetting) -> None:
    auth.supabase.keys.legacy_disabled = True
    auth.bot.is_ready = False
    await auth.probe(3)
    assert await auth.found() == ("config", "SEV-2")


# Spikes, metrics, health, check, the daemon.


async def test_a_spike_of_rejections(auth: AuthSetting) -> None:
    auth.auth |= {"rejections": 5, "rejections_within": "1h"}
    async with auth.running() as (probe, parts):
        await probe.run()
        for _ in range(6):
            parts.metrics.auth_rejections_total.labels("api", "401").inc()
        await probe.run()
    row = await auth.setting.row("select * from reconciler.incidents where subject = 'rejections'")
    assert (row["severity"], row["kind"]) == ("SEV-2", "auth_failure")
    assert row["details"]["by_surface"] == {"api": 6}


async def test_metrics_of_a_probe(auth: AuthSetting) -> None:
    auth.supabase.keys.legacy_disabled = True
    async with auth.running() as (probe, parts):
        await probe.run()
        text = parts.metrics.render()[0].decode()
        assert 'reconciler_auth_probe_up{probe="supabase_health"} 0.0' in text
        assert 'reconciler_auth_probe_up{probe="jwks"} 1.0' in text
        assert 'probe="canary_user"' not in text
        assert 'reconciler_auth_rejections_total{code="401",surface="supabase"} 4.0' in text
        _, ready = parts.health.readiness()
        assert "sign-in" in [d["what"] for d in ready["degraded"]]
        auth.supabase.keys.legacy_disabled = False
        await probe.run()
        _, ready = parts.health.readiness()
        assert "sign-in" not in [d["what"] for d in ready["degraded"]]


async def test_check_says_what_does_not_fit(auth: AuthSetting) -> None:
    keys = auth.supabase.keys
    auth.auth |= {"service_role_key": keys.anon_key, "anon_key": keys.service_key}
    async with auth.running() as (_, parts):
        lines = {line.what: line for line in await run_checks(parts)}
    assert lines["SUPABASE_SERVICE_ROLE_KEY"].mend == "swap the two keys"
    assert "may be public already" in lines["SUPABASE_ANON_KEY"].says
    assert lines["sign-in service_key"].level == "fail"


async def test_the_daemon_probes_on_schedule(auth: AuthSetting) -> None:
    auth.setting.configure(schedule={"auth_probe": "200ms"}, http={"port": 0})
    auth.supabase.is_paused = True
    async with auth.running() as (_, parts):
        daemon, stop = Daemon(parts), asyncio.Event()
        await daemon.http.start()
        running = asyncio.create_task(daemon.run(stop))
        try:
            found = "select count(*) from reconciler.incidents where kind = 'auth_failure'"
            await eventually(lambda: auth.setting.connection.fetchval(found), within=15)
            async with aiohttp.ClientSession() as http, http.get(f"{daemon.http.url}/health") as a:
                health = await a.json()
            assert "sign-in" in [each["what"] for each in health["degraded"]]
        finally:
            stop.set()
            await running


async def test_a_supabase_that_hangs_costs_its_deadlines_and_no_more(auth: AuthSetting) -> None:
    auth.supabase.is_hanging = True
    auth.auth["timeout"] = "200ms"
    began = time.monotonic()
    outcome = await auth.probe(1)
    assert time.monotonic() - began < 5
    assert "no answer within the deadline" in outcome.sentence
    assert "infra" in outcome.sentence


def test_a_long_timeout_leaves_time_for_every_answer() -> None:
    """Else a Supabase that hangs were never called infra: the probe would be cut off before."""
    limits = AuthLimits(confirmations=3, legacy_secret=False, timeout=seconds(60))
    one_after_another = 9  # surface, four of the canary, bot_token, open, with token, sign-out
    assert limits.deadline > one_after_another * seconds(60)


async def test_no_redirect_is_followed(auth: AuthSetting) -> None:
    away = {"Location": f"{auth.supabase.url}/elsewhere"}
    auth.supabase.forced["/auth/v1/user"] = Forced(status=307, headers=away)
    await auth.probe(3)
    assert await auth.found() == ("config", "SEV-2")
    assert not any("elsewhere" in path for path in auth.supabase.asked)


async def test_a_body_without_end_is_cut(auth: AuthSetting) -> None:
    body = {"error_code": "bad_jwt", "msg": "x" * 1_000_000}
    auth.supabase.forced["/auth/v1/user"] = Forced(status=403, body=body)
    await auth.probe(3)
    assert len(str((await auth.incident())["details"])) < 10_000


async def test_an_empty_answer_in_place_of_what_was_asked(auth: AuthSetting) -> None:
    """A maintenance page says 200, and shows that nothing works."""
    auth.supabase.forced["/"] = Forced(status=200, body="maintenance")
    await auth.probe(3)
    assert await auth.found() == ("inconclusive", "SEV-2")


async def test_the_start_tells_what_does_not_fit(auth: AuthSetting) -> None:
    auth.auth["service_role_key"] = auth.supabase.keys.anon_key
    async with auth.running() as (_, parts):
        tell_misfits(parts.settings, parts.health)
        degraded = {d["what"]: d["why"] for d in parts.health.readiness()[1]["degraded"]}
    says = "SUPABASE_SERVICE_ROLE_KEY has the role anon, not service_role"
    assert degraded["sign-in environment"] == says


async def test_a_key_that_comes_near_its_end_while_the_daemon_runs(auth: AuthSetting) -> None:
    # Claims are of whole seconds: between one and two are left here.
    ends_at = datetime.now(UTC) + timedelta(days=14, seconds=2)
    keys = auth.supabase.keys
    auth.auth["service_role_key"] = keys.legacy_key("service_role", expires_at=ends_at)
    async with auth.running() as (probe, parts):
        tell_misfits(parts.settings, parts.health)
        assert "sign-in environment" not in degraded(parts)
        await asyncio.sleep(2)
        await probe.run()
        says = degraded(parts)["sign-in environment"]
    assert says.startswith("SUPABASE_SERVICE_ROLE_KEY expires on ")


def degraded(parts: Assembly) -> dict[str, str]:
    return {d["what"]: d["why"] for d in parts.health.readiness()[1]["degraded"]}


async def test_a_database_that_is_away_is_not_judged(auth: AuthSetting) -> None:
    async with auth.running() as (probe, parts):
        await probe.run()
        await parts.pool.close()
        outcome = await probe.run()
    assert outcome.state in {OutcomeState.NOT_JUDGED, OutcomeState.FAILED}


async def test_the_desk_and_the_doctor_know_it(auth: AuthSetting) -> None:
    auth.supabase.keys.legacy_disabled = True
    await auth.probe(3)
    auth.setting.configure(auth=auth.auth)
    shown = await auth.setting.typed("incidents", "show", "1", "--json")
    assert shown.code == 0, shown.err
    assert "Legacy API keys are disabled" in shown.out
    for what in ("message", "rca"):
        told = await auth.setting.typed("incidents", what, "1")
        assert (told.code, told.err) == (0, ""), told.err
    checked = await auth.setting.typed("check", "--json")
    assert checked.code == 1
    failed = [row["what"] for row in checked.rows if row["level"] == "fail"]
    assert "sign-in supabase_health" in failed
    once = await auth.setting.command("once", "--json")
    assert once.code == 1, once.err
    assert once.report["accounts"][AUTH]["findings"][0]["class"] == "config"
    for ran in (shown, checked, once):
        assert auth.supabase.keys.service_key not in ran.out + ran.err
        assert CANARY[1] not in ran.out + ran.err


async def test_the_story_of_the_runbook(auth: AuthSetting) -> None:
    """A bot whose token ran out, from the first `once` to the end, by commands alone."""
    setting = auth.setting
    auth.use_bot_token(lifetime=seconds(-1200))
    setting.configure(auth=auth.auth)
    assert [(await setting.typed("once", "--json")).code for _ in range(3)] == [1, 1, 1]
    shown = (await setting.typed("incidents", "show", "1", "--json")).report
    assert shown["details"]["class"] == "app_regression"
    assert shown["incident"]["title"].startswith(
        "sign-in fails (app_regression): bot_token answered 403 bad_jwt"
    )
    drafted = await setting.typed("incidents", "rca", "1")
    assert "## Suspected cause: regression of the application's sign-in" in drafted.out
    assert (await setting.typed("incidents", "ack", "1", "--by", "ada")).code == 0
    auth.use_bot_token()
    setting.configure(auth=auth.auth)
    assert [(await setting.typed("once", "--json")).code for _ in range(3)] == [0, 0, 0]
    assert (await setting.typed("incidents", "list", "--json")).rows == []
    assert await auth.events() == ["opened", "acknowledged", "resolved"]
