"""A bot that takes the webhook."""

import hashlib
import hmac
import json
import time
from typing import Any

from aiohttp import web

from reconciler.simulation.loopback import LoopbackService

SECRET = "of-the-webhook-1"


class Receiver(LoopbackService):
    """A bot that checks the signature, as docs/connect-your-bot.md tells its author to."""

    def __init__(self) -> None:
        super().__init__()
        self.active: dict[str, bool] = {"p1": True}
        self.keys: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.status = 200
        self.told: Any = None
        """In place of the true status."""

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/hook", self._hook)
        app.router.add_get("/profiles/{id}", self._profile)
        return app

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        at = request.headers["X-Reconciler-Timestamp"]
        signed = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        given = request.headers["X-Reconciler-Signature"]
        return abs(time.time() - int(at)) < 300 and hmac.compare_digest(f"sha256={signed}", given)

    async def _hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._is_signed(request, body):
            return web.json_response({"error": "signature"}, status=401)
        if self.status != 200:
            headers = {"Location": self.url} if self.status == 302 else None
            return web.Response(status=self.status, text=f"no {SECRET}", headers=headers)
        told = json.loads(body)
        self.bodies.append(told)
        self.keys.append(request.headers["Idempotency-Key"])
        self.active[told["profile_id"]] = told["action"] == "activate"
        return web.Response(status=202)

    async def _profile(self, request: web.Request) -> web.Response:
        self.paths.append(request.raw_path)
        if not self._is_signed(request, b""):
            return web.json_response({"error": "signature"}, status=401)
        told = {"active": self.active.get(request.match_info["id"])}
        return web.json_response(told if self.told is None else self.told)
