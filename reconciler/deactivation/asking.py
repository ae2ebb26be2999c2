"""One HTTP request to a bot: bounded in time and size, no redirect, no secret in what is said."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import aiohttp

from reconciler import __version__
from reconciler.domain.errors import DriverFailedError

DEADLINE: Final = timedelta(seconds=10)
"""Of one request, connecting and reading included."""
LONGEST_BODY: Final = 64 * 1024
LONGEST_QUOTED: Final = 160
REDIRECTS: Final = range(300, 400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the bot answered."""

    status: int
    body: Any
    """JSON, or None."""
    quoted: str
    """The start of the body for messages, without what we sent."""

    @property
    def is_2xx(self) -> bool:
        """The bot took it."""
        return self.status // 100 == 2  # noqa: PLR2004 - what 2xx means


class Asker:
    """Asks one bot. Each request has its own connection: they are rare, and nobody closes us."""

    def __init__(
        self, address: str, *, secrets: tuple[str, ...] = (), deadline: timedelta = DEADLINE
    ) -> None:
        """`address`: as messages name the bot. `secrets`: wherever a bot echoes them, masked."""
        self.bot = f"the bot at {address}"
        self._secrets = tuple(sorted((each for each in secrets if each), key=len, reverse=True))
        self._deadline = deadline

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One request. Raises DriverFailedError where nothing, too much or a redirect is back."""
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=self._deadline.total_seconds()),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    headers={"User-Agent": f"reconciler/{__version__}"},
                ) as session,
                session.request(
                    method, url, headers=headers, data=body, allow_redirects=False
                ) as answer,
            ):
                raw = await _read(answer)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # `from None`: what aiohttp says may hold the request's own headers.
            raise DriverFailedError(f"{self.bot} did not answer: {self._why(error)}") from None
        if raw is None:
            raise DriverFailedError(f"{self.bot} answered more than {LONGEST_BODY // 1024} KiB")
        if answer.status in REDIRECTS:
            raise DriverFailedError(
                f"{self.bot} answered with a redirect (HTTP {answer.status}), which is not "
                "followed: configure the address it leads to"
            )
        return Answer(status=answer.status, body=_json(raw), quoted=self._quoted(raw))

    def refused(self, asked: str, answer: Answer) -> DriverFailedError:
        """The error for an answer that is none of the expected ones."""
        said = f": {answer.quoted}" if answer.quoted else ""
        return DriverFailedError(f"{self.bot} answered {asked} with HTTP {answer.status}{said}")

    def _why(self, error: Exception) -> str:
        match error:
            case TimeoutError():
                return f"nothing within {self._deadline.total_seconds():g} s"
            case aiohttp.ClientConnectorError():
                return self.masked(error.os_error.strerror or "cannot connect")
            case _:
                return self.masked(str(error)) or type(error).__name__

    def _quoted(self, raw: bytes) -> str:
        # Masked before it is cut: half a secret is one too.
        return self.masked(raw.decode("utf-8", "replace"))

    def masked(self, text: str) -> str:
        """Short, printable, and without what we sent."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
            text = text.replace(json.dumps(secret)[1:-1], "***")
        return "".join(c if c.isprintable() else " " for c in text)[:LONGEST_QUOTED].strip()


async def _read(answer: aiohttp.ClientResponse) -> bytes | None:
    """The body, or None where it is longer than anything we ask for."""
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > LONGEST_BODY:
            answer.close()
            return None
    return bytes(body)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
