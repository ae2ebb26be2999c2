"""Scenarios share one stage, and each of their verdicts can be reached again from its evidence."""

import json
from collections.abc import AsyncIterator

import pytest

from reconciler.incidents.replaying import replay
from tests.scenarios.setting import Setting, setting

__all__ = ["setting"]


@pytest.fixture(autouse=True)
async def replayable(setting: Setting) -> AsyncIterator[None]:
    """Whatever verdicts a scenario leaves as evidence, `replay` says the same of them."""
    yield
    if not await setting.connection.fetchval("select to_regclass('reconciler.evidence')"):
        return  # a scenario without our schema
    rows = await setting.connection.fetch("select bundle from reconciler.evidence")
    for bundle in [json.loads(row["bundle"]) for row in rows]:
        if bundle["judged"] is not None:
            replayed = replay(bundle)
            assert replayed.same, replayed
