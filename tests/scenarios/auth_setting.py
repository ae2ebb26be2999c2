"""The stage of the third runbook: a simulated Supabase and bot, and the daemon's own probe."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.domain.outcome import Outcome
from reconciler.jobs.auth_probe import AuthProbeService
from reconciler.service.assembly import Assembly, assembled
from reconciler.service.auth import auth_probe_of, prober_of
from reconciler.service.once import _renewing
from reconciler.settings import load_settings
from reconciler.simulation.bot_api import SimulatedBotApi, by_project
from reconciler.simulation.supabase import SimulatedSupabase, User
from reconciler.store.postgres import PostgresStore
from reconciler.telemetry.redaction import Redactor
from tests.scenarios.setting import Setting

CANARY = ("canary@example.test", "canary-password-0815")
BOTS = ("bot@example.test", "bot-password-4711")


@dataclass(slots=True, kw_only=True)
class AuthSetting:
    """Everything that sign-in goes through."""

    setting: Setting
    supabase: SimulatedSupabase
    bot: SimulatedBotApi
    canary: User
    auth: dict[str, Any] = field(default_factory=dict)

    def bot_token(self, **more: Any) -> str:
        """A token of the bot's own user, in a session of its own."""
        return self.supabase.issue(self.supabase.users.sign_in(*BOTS), **more)

    def use_bot_token(self, **more: Any) -> str:
        """Configure it."""
        token = self.bot_token(**more)
        self.auth["bot"] = {**self.auth["bot"], "token": token}
        return token

    @contextlib.asynccontextmanager
    async def running(
        self, *, resolver: AbstractResolver | None = None
    ) -> AsyncIterator[tuple[AuthProbeService, Assembly]]:
        """One process with its probe; its passes do not run."""
        settings = load_settings(self.setting.configure(auth=self.auth))
        redactor = Redactor(settings.secret_values())
        async with assembled(settings, redactor) as parts, _renewing(parts.leases):
            probe = parts.auth_probe
            if resolver is not None:
                probe = auth_probe_of(
                    settings,
                    store=PostgresStore(parts.pool, redact=redactor.value),
                    leases=parts.leases,
                    health=parts.health,
                    metrics=parts.metrics,
                    redact=redactor.text,
                    prober=prober_of(settings, resolver=resolver),
                )
            assert probe is not None
            yield probe, parts
            with contextlib.suppress(DatabaseUnavailableError):
                await parts.leases.release()

    async def probe(self, times: int = 3, *, resolver: AbstractResolver | None = None) -> Outcome:
        """So many probes of one process; the outcome of the last."""
        async with self.running(resolver=resolver) as (probe, _):
            for _ in range(times):
                outcome = await probe.run()
        return outcome

    async def incident(self) -> dict[str, Any]:
        """The one incident of the probe."""
        return await self.setting.row(
            "select * from reconciler.incidents where kind = 'auth_failure' and subject = ''"
        )

    async def found(self) -> tuple[str, str]:
        """Class and severity, as people see them."""
        incident = await self.incident()
        return incident["details"]["class"], incident["severity"]

    async def events(self) -> list[str]:
        """The timeline's words."""
        rows = await self.setting.rows("select event from reconciler.incident_events order by id")
        return [row["event"] for row in rows]


@pytest.fixture
async def auth(setting: Setting) -> AsyncIterator[AuthSetting]:
    """All is well, and everything is configured but a token of the bot's own."""
    async with signing_in(setting) as made:
        yield made


@contextlib.asynccontextmanager
async def signing_in(setting: Setting) -> AsyncIterator[AuthSetting]:
    """A project and a bot of their own."""
    async with SimulatedSupabase() as supabase, SimulatedBotApi(by_project(supabase)) as bot:
        canary = supabase.users.add(*CANARY)
        supabase.users.add(*BOTS)
        keys = supabase.keys
        yield AuthSetting(
            setting=setting,
            supabase=supabase,
            bot=bot,
            canary=canary,
            auth={
                "supabase_url": supabase.url,
                "service_role_key": keys.service_key,
                "anon_key": keys.anon_key,
                "jwt_secret": keys.jwt_secret,
                "rest_table": "profiles",
                "timeout": "2s",
                "canary": {"email": CANARY[0], "password": CANARY[1]},
                "bot": {"url": bot.url, "websocket_url": bot.websocket_url},
            },
        )


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)
