"""Tokens and keys appear nowhere: logs, metrics, every table, `/health`, incidents, exceptions."""

import asyncio
import io
import json
import os
from asyncio.subprocess import PIPE

import pytest

from reconciler.simulation.supabase import Forced
from reconciler.telemetry.logs import configure_logs
from reconciler.telemetry.redaction import Redactor
from tests.postgres import chosen_binaries
from tests.scenarios.auth_setting import BOTS, CANARY, AuthSetting, auth, seconds, signing_in
from tests.scenarios.setting import Setting
from tests.scenarios.test_auth_catalogue import ROWS

__all__ = ["auth"]

OWN_TABLES = "select tablename as name from pg_tables where schemaname = 'reconciler' order by 1"


async def dump(auth: AuthSetting) -> str:
    """Every row of every table of ours."""
    connection = auth.setting.connection
    tables = [row["name"] for row in await connection.fetch(OWN_TABLES)]
    rows = [
        row["line"]
        for table in tables
        for row in await connection.fetch(f"select t::text as line from reconciler.{table} t")
    ]
    assert len(rows) > 5
    return "\n".join(rows)


def pieces_of(secret: str) -> set[str]:
    """The secret; of a JWT the beginnings of claims and signature, as messages are cut short."""
    if not secret.startswith("eyJ"):
        return {secret}
    _, claims, signature = secret.split(".")
    return {claims[:40], signature[:20]}


@pytest.mark.parametrize("redacts", [True, False], ids=["redacted", "without the last net"])
async def test_no_secret_leaves(
    auth: AuthSetting, redacts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also without the redactor: nothing secret is handed to it in the first place."""
    keys, token = auth.supabase.keys, auth.use_bot_token(lifetime=seconds(-60))
    redactor = Redactor((CANARY[1], token) if redacts else ())
    if not redacts:
        monkeypatch.setattr(Redactor, "text", lambda _self, text: text)
        monkeypatch.setattr(Redactor, "value", lambda _self, value: value)
    logs = io.StringIO()
    configure_logs(level="debug", format="json", redactor=redactor, stream=logs)
    said = [json.dumps(await told(auth))]
    # Servers that echo what they were sent, in their errors' words.
    for echo in (CANARY[1], token, keys.service_key, keys.anon_key):
        auth.supabase.forced["/auth/v1/user"] = Forced(
            status=403, body={"error_code": "bad_jwt", "msg": echo}
        )
        auth.supabase.forced["/rest/v1/"] = Forced(status=401, body={"message": echo})
        auth.bot.why_not = lambda shown: f"refused {shown}"
        auth.bot.degraded = [{"what": "auth", "why": echo}]
        said.append(json.dumps(await told(auth)))
    del auth.auth["bot"]["token"]  # now the canary's own is shown to the bot
    said.append(json.dumps(await told(auth)))
    said += [logs.getvalue(), await dump(auth)]
    secrets = {
        *auth.supabase.issued,
        *(keys.service_key, keys.anon_key, keys.jwt_secret, keys.secret_key),
        *(CANARY[1], BOTS[1], token),
    }
    assert len(secrets) > 10
    for place, text in enumerate(said):
        for secret in secrets:
            for piece in pieces_of(secret):
                assert piece not in text, f"place {place}: {piece[:12]}…"
    assert "[AUTH]" in logs.getvalue()


async def pg_dump(url: str) -> str:
    """The whole database, as a person who copies it away has it."""
    program = chosen_binaries().folder / "pg_dump"
    if "TEST_DATABASE_URL" in os.environ or not program.exists():
        pytest.skip("no pg_dump of the server's own version")
    process = await asyncio.create_subprocess_exec(
        *(str(program), "--dbname", url), stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_no_secret_is_in_a_dump_after_the_whole_catalogue(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row played by servers that echo what they are shown, in bodies and headers, redirects
    and closes; the daemon without its redactor.
    """
    monkeypatch.setattr(Redactor, "text", lambda _self, text: text)
    monkeypatch.setattr(Redactor, "value", lambda _self, value: value)
    logs = io.StringIO()
    configure_logs(level="debug", format="json", redactor=Redactor(), stream=logs)
    said: list[str] = []
    secrets: set[str] = {CANARY[1], BOTS[1]}
    for row, (arrange, _) in ROWS.items():
        async with signing_in(setting) as auth:
            auth.supabase.echoes = auth.bot.echoes = True
            auth.bot.closes_sockets_with = 4401
            auth.bot.why_not = lambda shown: f"{shown} is refused"
            arrange(auth)
            said += [row, *await told(auth, times=1 if said else 3)]
            keys = auth.supabase.keys
            secrets |= {keys.service_key, keys.anon_key, keys.jwt_secret, keys.secret_key}
            secrets |= {*auth.supabase.issued}
    told_by_bot = json.dumps(
        {"auth_rejections": [{"surface": "ws", "code": 401, "count": 99, "token": max(secrets)}]}
    )
    async with signing_in(setting) as auth:
        await auth.probe(3)
        async with auth.running() as (probe, _):
            assert probe.spikes.hear(told_by_bot)
            await probe.run()
        auth.supabase.forced["/auth/v1/user"] = Forced(
            status=307, headers={"Location": f"{auth.supabase.url}/?token={max(secrets)}"}
        )
        said += await told(auth)
    places = {"logs": logs.getvalue(), "told": "\n".join(said)}
    places["pg_dump"] = await pg_dump(setting.url)
    assert places["pg_dump"].count("sign-in ") >= 2, "incidents were written"
    assert len(secrets) > 100
    for place, text in places.items():
        for secret in secrets:
            for piece in pieces_of(secret):
                at = text.find(piece)
                assert at < 0, f"{place}: {text[max(0, at - 300) : at + 20]}…"


async def told(auth: AuthSetting, *, times: int = 3) -> list[str]:
    """What so many probes of one process leave in metrics and health."""
    async with auth.running() as (probe, parts):
        outcomes = [repr(await probe.run()) for _ in range(times)]
        health = json.dumps(parts.health.report())
        return [*outcomes, health, parts.metrics.render()[0].decode(), repr(probe)]
