"""freqtrade's API server: `/pause`, or `/stopentry` where it is older; for the whole bot.

`/pause` says "paused" while the bot reads its configuration anew, and forgets it; and it starts a
bot that a person has stopped. So the state is read before and after. A restart of the bot loses the
pause: then it reads as active again.
"""

from datetime import timedelta
from typing import Any, Final

import aiohttp

from reconciler.deactivation.asking import DEADLINE, Answer, Asker
from reconciler.deactivation.looking import Look
from reconciler.domain.deactivation import Deactivation
from reconciler.domain.errors import DriverFailedError

PAUSES: Final = ("pause", "stopentry", "stopbuy")
"""Newest first; 2025.1 knows the second, and later versions know all of them."""
UNKNOWN_PATH: Final = frozenset({404, 405})
"""freqtrade's web pages take any GET, so that a POST to no path at all is "not allowed"."""
NOT_LET_IN: Final = frozenset({401, 403})
NOT_ENTERING: Final = frozenset({"paused", "stopped"})


class FreqtradeRest:
    """One freqtrade bot, asked over its API server."""

    name = "freqtrade_rest"

    def __init__(
        self, url: str, *, username: str, password: str, deadline: timedelta = DEADLINE
    ) -> None:
        """`url`: of the server, with or without `/api/v1`. `deadline`: of each request."""
        url = url.rstrip("/").removesuffix("/api/v1")
        login = aiohttp.encode_basic_auth(username, password, encoding="utf-8")
        self._base = f"{url}/api/v1"
        self._asker = Asker(url, secrets=(password, login.partition(" ")[2]), deadline=deadline)
        self._headers = {"Authorization": login}

    async def deactivate(self, wanted: Deactivation) -> None:
        """Pause the bot where it may enter trades. Raises DriverFailedError."""
        if not await self.is_active(wanted):
            return
        for path in PAUSES:
            answer = await self._ask("POST", path)
            if answer.status in UNKNOWN_PATH:
                continue  # an older version
            self._taken(path, answer)
            return
        raise DriverFailedError(
            f"{self._asker.bot} knows none of {', '.join(f'/{path}' for path in PAUSES)}: check "
            "that deactivation.url leads to freqtrade's API server"
        )

    async def activate(self, wanted: Deactivation) -> None:
        """Start the bot where it enters no trades, one that was stopped too.

        Raises DriverFailedError.
        """
        if await self.is_active(wanted):
            return
        state, _ = await self._state()
        # An older bot goes on running without a free slot, until it reads its configuration anew.
        path = "start" if state in NOT_ENTERING else "reload_config"
        self._taken(path, await self._ask("POST", path))

    async def is_active(self, wanted: Deactivation) -> bool:  # noqa: ARG002 - one bot, one state
        """Read back whether the bot enters trades. Raises DriverFailedError."""
        state, most_trades = await self._state()
        return state not in NOT_ENTERING and most_trades != 0

    async def look(self, wanted: Deactivation | None) -> Look:  # noqa: ARG002 - one bot, one state
        """Whether it could be asked now; nothing is changed. Raises DriverFailedError."""
        body = await self._config()
        state = self._state_in(body)
        if body.get("dry_run") is True:
            return Look(
                says=f"{self._asker.bot} lets us in, and is {state}: a dry run, whose orders no "
                "exchange knows",
                mend="do not watch a dry run: each of its orders would be missing at the venue",
            )
        return Look(says=f"{self._asker.bot} lets us in, and is {state}")

    async def _state(self) -> tuple[str, float | None]:
        """`running`, `paused` or `stopped`, and how many trades the bot may have open."""
        body = await self._config()
        return self._state_in(body), _number(body.get("max_open_trades"))

    async def _config(self) -> dict[str, Any]:
        """What it shows of its configuration."""
        answer = await self._ask("GET", "show_config")
        body = answer.body
        if not answer.is_2xx:
            raise self._asker.refused("show_config", answer)
        if not isinstance(body, dict) or not isinstance(body.get("state"), str):
            raise DriverFailedError(
                f"{self._asker.bot} did not tell its state: check that deactivation.url leads to "
                "freqtrade's API server"
            )
        return body

    def _state_in(self, body: dict[str, Any]) -> str:
        state: str = body["state"]
        if state not in {"running", *NOT_ENTERING}:
            raise DriverFailedError(
                f"{self._asker.bot} is in the state {self._asker.masked(state)!r}, which is "
                "neither running, paused nor stopped"
            )
        return state

    async def _ask(self, method: str, path: str) -> Answer:
        answer = await self._asker.ask(method, f"{self._base}/{path}", headers=self._headers)
        if answer.status in NOT_LET_IN:
            raise DriverFailedError(
                f"{self._asker.bot} refused the login (HTTP {answer.status}): check "
                "deactivation.username and deactivation.password against its api_server"
            )
        return answer

    def _taken(self, path: str, answer: Answer) -> None:
        if not answer.is_2xx or not isinstance(answer.body, dict) or "status" not in answer.body:
            raise self._asker.refused(path, answer)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None
