"""Tokens and keys appear nowhere: logs, metrics, every table, `/health`, incidents, exceptions."""

import io
import json

import pytest

from reconciler.simulation.supabase import Forced
from reconciler.telemetry.logs import configure_logs
from reconciler.telemetry.redaction import Redactor
from tests.scenarios.auth_setting import BOTS, CANARY, AuthSetting, auth, seconds

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


async def told(auth: AuthSetting) -> list[str]:
    """What three probes of one process leave in metrics and health."""
    async with auth.running() as (probe, parts):
        outcomes = [repr(await probe.run()) for _ in range(3)]
        health = json.dumps(parts.health.report())
        return [*outcomes, health, parts.metrics.render()[0].decode(), repr(probe)]
