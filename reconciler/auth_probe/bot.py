"""The questions to the bot's own surface. None of them can trade."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import aiohttp

from reconciler.auth_probe.asking import Answered, Asker, error_in, refuse_unsendable
from reconciler.domain.auth_probes import ProbeResult, ProbeStep
from reconciler.rules.auth_tokens import facts_of

OK = 200
HANDSHAKE = 101
CLOSED_WITHIN: Final = timedelta(seconds=1)
"""Servers that cannot refuse a handshake accept it and close at once."""
ENDED_WITHIN: Final = timedelta(seconds=0.5)
"""Servers that are busy telling prices do not answer our close."""
MOST_QUOTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BotDoors:
    """Where the bot is asked. Holds a secret: never shown."""

    url: str | None = None
    websocket_url: str | None = None
    token: str | None = field(default=None, repr=False)
    live_path: str = "/health/live"
    ready_path: str = "/health/ready"
    status_path: str = "/api/status"
    trade_path: str = "/api/trade"


class BotQuestions:
    """One probe's questions to the bot."""

    def __init__(self, asker: Asker, doors: BotDoors, *, deadline: timedelta) -> None:
        self._asker = asker
        self._doors = doors
        self._deadline = deadline
        asker.hide(doors.token)

    async def open_surface(self) -> list[ProbeResult]:
        """What is asked without a token, at once."""
        asked = (self._live(), self._ready(), self._trade(), self._socket_without_token())
        return list(await asyncio.gather(*asked))

    async def with_token(self, canarys: str) -> list[ProbeResult]:
        """What is asked with the configured token, or the canary's."""
        token = self._doors.token or canarys
        return list(await asyncio.gather(self._status(token), self._socket(token)))

    async def _live(self) -> ProbeResult:
        return await self._health(ProbeStep.BOT_LIVE, self._doors.live_path)

    async def _ready(self) -> ProbeResult:
        return await self._health(ProbeStep.BOT_READY, self._doors.ready_path)

    async def _health(self, step: ProbeStep, path: str) -> ProbeResult:
        if self._doors.url is None:
            return _not_set(step, "auth.bot.url")
        answered = await self._asker.ask("GET", self._doors.url + path)
        quoted = tuple(self._asker.masked(each) for each in _degraded(answered.body))
        return ProbeResult(
            step=step,
            status=answered.status,
            is_expected=answered.status == OK,
            no_answer=answered.no_answer,
            quoted=quoted[:MOST_QUOTED],
        )

    async def _trade(self) -> ProbeResult:
        """Without a token, and without a body: what lets us in has nothing to trade."""
        step = ProbeStep.BOT_TRADE
        if self._doors.url is None:
            return _not_set(step, "auth.bot.url")
        headers = {"Content-Type": "application/json"}
        url = self._doors.url + self._doors.trade_path
        return _result(step, await self._asker.ask("POST", url, headers=headers))

    async def _status(self, token: str) -> ProbeResult:
        step = ProbeStep.BOT_STATUS
        if self._doors.url is None:
            return _not_set(step, "auth.bot.url")
        if not token:
            return ProbeResult(step=step, skipped="no token could be had")
        url, headers = self._doors.url + self._doors.status_path, _bearer(token)
        return _result(step, await self._asker.ask("GET", url, headers=headers), token=token)

    async def _socket(self, token: str) -> ProbeResult:
        step = ProbeStep.BOT_WEBSOCKET
        if self._doors.websocket_url is None:
            return _not_set(step, "auth.bot.websocket_url")
        if not token:
            return ProbeResult(step=step, skipped="no token could be had")
        answered = await self._shake_hands(self._doors.websocket_url, _bearer(token))
        ok = answered.status == HANDSHAKE and not answered.code
        return _result(step, answered, token=token, ok=ok)

    async def _socket_without_token(self) -> ProbeResult:
        step = ProbeStep.BOT_WEBSOCKET_CLOSED
        if self._doors.websocket_url is None:
            return _not_set(step, "auth.bot.websocket_url")
        answered = await self._shake_hands(self._doors.websocket_url, {})
        return _result(step, answered, ok=answered.status == HANDSHAKE and bool(answered.code))

    async def _shake_hands(self, url: str, headers: dict[str, str]) -> Answered:
        """101 with the code of the close, where the server closes at once for want of rights."""
        ends = aiohttp.ClientWSTimeout(ws_close=ENDED_WITHIN.total_seconds())
        try:
            refuse_unsendable(headers)
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(self._deadline.total_seconds()):
                    shaking = self._asker.http.ws_connect(
                        url, headers=headers, max_msg_size=4096, timeout=ends
                    )
                    socket = await stack.enter_async_context(shaking)
                return Answered(status=HANDSHAKE, code=await _closed_at_once(socket))
        except aiohttp.WSServerHandshakeError as error:
            code, _ = error_in(error.headers or {}, None)  # aiohttp does not hand over the body
            return Answered(status=error.status, code=self._asker.masked(code))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Answered(no_answer=await self._asker.why_none(error, url))


async def _closed_at_once(socket: "aiohttp.ClientWebSocketResponse[bool]") -> str:
    """The code of the close; empty where it stays open. Some say why before they close."""
    said = {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}
    try:
        async with asyncio.timeout(CLOSED_WITHIN.total_seconds()):
            while (message := await socket.receive()).type in said:
                pass
    except TimeoutError:
        return ""
    # An error is ours: a message that is longer than we read.
    return "" if message.type is aiohttp.WSMsgType.ERROR else f"closed_{socket.close_code}"


def _degraded(body: Any) -> list[str]:
    """The degraded fields of a readiness answer, as text: a list, or what is not ok in a table."""
    given = body.get("degraded") if isinstance(body, dict) else None
    if isinstance(given, dict):
        return [f"{name}: {why}" for name, why in given.items()]
    if isinstance(given, list):
        return [
            f"{each.get('what')}: {each.get('why')}" if isinstance(each, dict) else str(each)
            for each in given
        ]
    return []


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _not_set(step: ProbeStep, key: str) -> ProbeResult:
    return ProbeResult(step=step, skipped=f"{key} is not set")


def _result(
    step: ProbeStep, answered: Answered, *, token: str | None = None, ok: bool | None = None
) -> ProbeResult:
    is_2xx = answered.status is not None and answered.status // 100 == OK // 100
    expected = (is_2xx and token is not None) if ok is None else ok
    return ProbeResult(
        step=step,
        status=answered.status,
        code=answered.code,
        message=answered.message,
        is_expected=expected,
        no_answer=answered.no_answer,
        token=facts_of(token) if token else None,
    )
