"""kill -9 between two probes of sign-in: what was counted is counted on."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.faults.running import running
from tests.scenarios.auth_setting import AuthSetting, auth
from tests.scenarios.setting import eventually

__all__ = ["auth"]

LAPSES_WITHIN = 40.0
"""Seconds: a start, the lease of who was killed, and a probe."""


@pytest.mark.timeout(180)
async def test_probes_are_counted_over_kill_9(auth: AuthSetting) -> None:
    """Two of three, kill -9, and the third is the next process's; so with the end of it."""
    sections: dict[str, Any] = {"auth": auth.auth, "schedule": {"auth_probe": "3s"}}

    async def killed_once(condition: Callable[[], Awaitable[bool]]) -> int:
        """How many probes that process made."""
        auth.supabase.asked.clear()
        async with running(auth.setting, **sections) as daemon:
            await eventually(condition, within=LAPSES_WITHIN)
            await daemon.kill()
        return auth.supabase.asked.count("GET /auth/v1/health")

    async def suspected_twice() -> bool:
        return bool(
            await auth.setting.rows(
                "select 1 from reconciler.suspicions"
                " where kind = 'auth_failure' and subject = '' and count = 2"
            )
        )

    async def opened() -> bool:
        return await auth.setting.incidents() != []

    async def healed_twice() -> bool:
        return int((await auth.incident())["parity_streak"]) == 2

    async def resolved() -> bool:
        return bool((await auth.incident())["status"] == "resolved")

    auth.supabase.is_paused = True
    assert await killed_once(suspected_twice) == 2
    assert await auth.setting.incidents() == []
    assert await killed_once(opened) == 1
    assert await auth.found() == ("infra", "SEV-2")
    auth.supabase.is_paused = False
    assert await killed_once(healed_twice) == 2
    assert (await auth.incident())["status"] == "open"
    assert await killed_once(resolved) == 1
    assert await auth.events() == ["opened", "resolved"]
