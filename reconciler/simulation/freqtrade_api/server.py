"""The few routes of freqtrade's API server that start, pause and show a bot.

`ANSWERS` are those of freqtrade 2026.9, which a test holds against the real server; the one of the
older dialect (`no_more_entries`) is that of 2025.1.
"""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any, Final, Literal

from aiohttp import web

from reconciler.simulation.loopback import LoopbackService

State = Literal["running", "paused", "stopped", "reload_config"]
ANSWERS: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("answers.json").read_text(encoding="utf-8")
)
HANGS_FOR: Final = 60
"""Seconds: longer than anybody waits."""
OLD_NAMES: Final = ("stopentry", "stopbuy")


class SimulatedFreqtrade(LoopbackService):
    """One bot, on 127.0.0.1 only; use it with `async with`."""

    def __init__(
        self,
        *,
        username: str = "freqtrader",
        password: str = "not-a-secret",  # noqa: S107 - of a simulated bot
        knows_pause: bool = True,
        port: int = 0,
    ) -> None:
        """`knows_pause` False: as 2025.1, whose `/stopentry` takes the slots away."""
        super().__init__(port=port)
        self.state: State = "running"
        self.most_trades = 3
        """Trades that may be open at once."""
        self.knows_pause = knows_pause
        self.names: tuple[str, ...] = ("pause", *OLD_NAMES) if knows_pause else OLD_NAMES
        """What pausing is called."""
        self.reload_for = 0.1
        """Seconds that reading the configuration anew takes; a real bot takes some."""
        self.is_hanging = False
        """Accepts connections, and answers nothing."""
        self.forced: dict[str, tuple[int, Any]] = {}
        """Status and body by route, in place of the true answer."""
        self.requests: list[str] = []
        """`POST pause`, in the order in which they came."""
        self._login = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    @property
    def may_enter(self) -> bool:
        """It would enter a trade at the next candle."""
        return self.state == "running" and self.most_trades > 0

    def restart(self) -> None:
        """As a process does: the pause is lost."""
        self.state, self.most_trades = "running", 3

    def application(self) -> web.Application:
        """One way in: freqtrade answers paths that it does not know in a manner of its own."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        if self.is_hanging:
            await asyncio.sleep(HANGS_FOR)
        route = request.path.removeprefix("/api/v1/")
        self.requests.append(f"{request.method} {route}")
        if route in self.forced:
            status, body = self.forced[route]
            return web.json_response(body, status=status)
        return self._true_answer(request, route)

    def _true_answer(self, request: web.Request, route: str) -> web.Response:
        known = {"GET": ("show_config",), "POST": ("start", "stop", "reload_config", *self.names)}
        if not request.path.startswith("/api/v1/") or route not in known.get(request.method, ()):
            return _as("unknown_get" if request.method == "GET" else "unknown_post")
        if request.headers.get("Authorization") != self._login:
            return _as("unauthorized")
        if route == "show_config":
            told = {"state": self.state, "max_open_trades": self.most_trades}
            return web.json_response({**ANSWERS["show_config"]["body"], **told})
        return _as(self._obey(route))

    def _obey(self, route: str) -> str:
        """Do it; the name of the answer."""
        match route:
            case "start":
                was, self.state = self.state, "running"
                return "started_already" if was == "running" else "started"
            case "stop":
                was, self.state = self.state, "stopped"
                return "stopped_already" if was == "stopped" else "stopped"
            case "reload_config":
                self.state = "reload_config"
                asyncio.get_running_loop().call_later(self.reload_for, self.restart)
                return "reloading"
            case _ if self.knows_pause:
                return self._pause()
            case _:
                if self.state == "running":
                    self.most_trades = 0
                return "no_more_entries"

    def _pause(self) -> str:
        if self.state == "stopped":
            self.state = "paused"
            return "started_paused"
        if self.state == "running":
            self.state = "paused"
        return "paused"  # while it reloads its configuration too, which forgets it


def _as(name: str) -> web.Response:
    answer = ANSWERS[name]
    return web.json_response(answer["body"], status=answer["status"])
