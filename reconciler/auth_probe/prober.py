"""One probe: every step that is configured, in the order that lets one explain another."""

from datetime import timedelta

from aiohttp.abc import AbstractResolver

from reconciler.auth_probe.asking import Asker
from reconciler.auth_probe.bot import BotDoors, BotQuestions
from reconciler.auth_probe.supabase import SupabaseDoors, SupabaseQuestions
from reconciler.domain.auth_probes import ProbeResult, ProbeStep

ORDER = {step: place for place, step in enumerate(ProbeStep)}


class Prober:
    """Knows the doors, keeps nothing between two probes."""

    def __init__(
        self,
        *,
        supabase: SupabaseDoors | None,
        bot: BotDoors,
        timeout: timedelta,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """`timeout` is for one request; `resolver` None is the system's."""
        self._supabase = supabase
        self._bot = bot
        self._timeout = timeout
        self._resolver = resolver

    async def probe(self) -> tuple[ProbeResult, ...]:
        """Every step, asked or skipped. Fails for nothing that a server does."""
        async with Asker(timeout=self._timeout, resolver=self._resolver) as asker:
            bot = BotQuestions(asker, self._bot, deadline=self._timeout)
            if self._supabase is None:
                results = [
                    *_without_supabase(),
                    *await bot.open_surface(),
                    *await bot.with_token(""),
                ]
            else:
                results = await self._both(SupabaseQuestions(asker, self._supabase), bot)
        return tuple(sorted(results, key=lambda r: ORDER[r.step]))

    async def _both(self, supabase: SupabaseQuestions, bot: BotQuestions) -> list[ProbeResult]:
        results = await supabase.surface()
        [jwks] = [r for r in results if r.step is ProbeStep.JWKS]
        try:
            results += await supabase.canary(is_jwks_known=jwks.is_expected)
            results.append(await supabase.bot_token())
            results += await bot.open_surface()
            results += await bot.with_token(supabase.session.access)
        finally:
            await supabase.sign_out()
        return results


def _without_supabase() -> list[ProbeResult]:
    return [
        ProbeResult(step=step, skipped="auth.supabase_url is not set")
        for step in ProbeStep
        if not step.is_of_bot
    ]
