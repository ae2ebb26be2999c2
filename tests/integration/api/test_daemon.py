"""The API of `reconciler run`: on by configuration alone, and its requests reach the passes."""

import asyncio
import hashlib

import aiohttp

from tests.faults.running import running
from tests.integration.api.tokens import OPERATOR_TOKEN, hash_of
from tests.scenarios.setting import Setting, eventually

SELDOM = {"reconciliation": "1h", "order_status_sync": "1h"}


async def test_a_pass_is_asked_for_over_http(setting: Setting) -> None:
    tokens = {"night-shift": {"hash": hash_of(OPERATOR_TOKEN), "role": "operator"}}
    async with running(setting, api={"tokens": tokens}, schedule=SELDOM) as daemon:
        await daemon.until_ready()
        setting.venue.requests.clear()
        headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
        url = f"http://127.0.0.1:{daemon.port}/api"
        async with aiohttp.ClientSession(headers=headers) as http:
            async with http.get(f"{url}/status") as answer:
                assert (await answer.json())["health"]["startup_reconciliation"] == "complete"
            assert setting.venue.requests.count("positions") == 0
            async with http.post(f"{url}/reconcile", json={"account": "main"}) as answer:
                assert answer.status == 202
            await eventually(
                lambda: setting.venue.requests.count("positions"), within=10, what=daemon.said
            )
            async with http.get(f"{url}/operations") as answer:
                [row] = await answer.json()
            assert (row["who"], row["operation"], row["outcome"]) == (
                "night-shift",
                "reconcile",
                "done",
            )
            codes = await asyncio.gather(*(_status_of(http, url) for _ in range(60)))
            assert {200, 429} == set(codes)
        assert OPERATOR_TOKEN not in daemon.said
        assert hashlib.sha256(OPERATOR_TOKEN.encode()).hexdigest() not in daemon.said
        await daemon.terminate()


async def _status_of(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(f"{url}/status") as answer:
        return answer.status
