"""One HTTP request of the probe: bounded in time and size, no redirect, nothing secret kept."""

import asyncio
import json
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

from reconciler import __version__
from reconciler.domain.auth_probes import NoAnswer

LONGEST_BODY: Final = 64 * 1024
LONGEST_MESSAGE: Final = 160
LONGEST_CODE: Final = 60
CLOCK_WITHIN: Final = timedelta(seconds=4)
"""A round trip that is slower tells nothing of a clock to within seconds."""
SHORTEST_PART: Final = 16
"""Characters: of a token in three parts each is masked alone, too."""
_JWT = re.compile(r"eyJ[\w-]+(?:\.[\w-]*){0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back. The body is for the step that asked, and kept by nobody."""

    status: int | None = None
    body: Any = field(default=None, repr=False)
    """JSON, or None."""
    code: str = ""
    message: str = ""
    no_answer: NoAnswer | None = None
    clock_skew: timedelta | None = None


class Asker:
    """Asks within deadlines; use it with `async with`. Never raises for what a server does."""

    def __init__(self, *, timeout: timedelta, resolver: AbstractResolver | None = None) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout.total_seconds())
        self._resolver = resolver or ThreadedResolver()
        self._secrets: set[str] = set()
        self.http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self._resolver, use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            # A browser's name would have sb_secret keys refused.
            headers={"User-Agent": f"reconciler/{__version__}"},
        )

    async def __aenter__(self) -> Self:
        """Nothing is connected yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        await self.http.close()

    def hide(self, *secrets: str | None) -> None:
        """These are sent: wherever a server echoes them, they are masked."""
        given = {secret for secret in secrets if secret}
        parts = {part for secret in given for part in secret.split(".")}
        self._secrets |= given | {part for part in parts if len(part) >= SHORTEST_PART}

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json_body: Any = None,
    ) -> Answered:
        """One request; what went wrong on the way is in the answer."""
        try:
            before = datetime.now(UTC)
            async with self.http.request(
                method, url, headers=headers, json=json_body, allow_redirects=False
            ) as answer:
                took = datetime.now(UTC) - before
                body = json_of(await _read(answer))
                code, message = error_in(answer.headers, body)
                return Answered(
                    status=answer.status,
                    body=body,
                    code=self.masked(code),
                    message=self.masked(message),
                    clock_skew=_skew(answer.headers.get("Date"), before + took / 2)
                    if took <= CLOCK_WITHIN
                    else None,
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Answered(no_answer=await self.why_none(error, url))

    async def why_none(self, error: Exception, url: str) -> NoAnswer:
        """Why there was no answer. A name that is not there is told from a resolver that is not."""
        match error:
            case aiohttp.ClientConnectorDNSError() if error.errno == socket.EAI_AGAIN:
                return NoAnswer.NAME_UNRESOLVED  # the resolver itself says: later
            case aiohttp.ClientConnectorDNSError():
                known = await self._is_known(_parent_of(url))
                return NoAnswer.NAME_UNKNOWN if known else NoAnswer.NAME_UNRESOLVED
            case aiohttp.ClientSSLError() | aiohttp.ServerFingerprintMismatch():
                return NoAnswer.TLS
            case TimeoutError():
                return NoAnswer.TIMEOUT
            case aiohttp.ClientConnectorError():
                return NoAnswer.REFUSED
            case _:
                return NoAnswer.BROKEN

    async def _is_known(self, host: str) -> bool:
        """Whether the resolver answers for that name."""
        try:
            async with asyncio.timeout(self._timeout.total):
                return bool(await self._resolver.resolve(host, 443, socket.AF_UNSPEC))
        except (OSError, TimeoutError):
            return False

    def masked(self, text: str) -> str:
        """Short, and without what we sent or what looks like a token."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        text = _JWT.sub("***", text)
        return "".join(c if c.isprintable() else " " for c in text)[:LONGEST_MESSAGE].strip()


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """As much as we look at; the rest is left."""
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > LONGEST_BODY:
            answer.close()
            break
    return bytes(body[:LONGEST_BODY])


def json_of(body: bytes) -> Any:
    """JSON, or None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def error_in(headers: Mapping[str, str], body: Any) -> tuple[str, str]:
    """Code and words of an error, wherever gateway, GoTrue, PostgREST or a bot put them."""
    given = body if isinstance(body, dict) else {}
    if isinstance(given.get("detail"), dict):
        given = given["detail"]
    code = headers.get("x-sb-error-code") or _first(given, ("error_code", "code", "error"))
    words = ("message", "msg", "error_description", "detail", "error")
    message = _first(given, words) or _of_fields(given.get("detail"))
    # `error` is a code with some and a sentence with others.
    return (code if re.fullmatch(rf"\w{{1,{LONGEST_CODE}}}", code) else ""), message


def _of_fields(detail: Any) -> str:
    """FastAPI's own shape: `header.authorization: Field required`."""
    rows = [row for row in detail if isinstance(row, dict)] if isinstance(detail, list) else []
    places = (row.get("loc") for row in rows)
    said = [".".join(map(str, loc)) if isinstance(loc, list) else "" for loc in places]
    return "; ".join(f"{at}: {row.get('msg')}" for at, row in zip(said, rows, strict=True))


def _first(given: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((v for name in names if isinstance(v := given.get(name), str) and v), "")


def _skew(date: str | None, middle: datetime) -> timedelta | None:
    """The server's clock minus ours. `Date` leaves out the fraction: half a second on average."""
    try:
        said = parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    if said is None or said.tzinfo is None:
        return None
    return said + timedelta(seconds=0.5) - middle


def _parent_of(url: str) -> str:
    """`supabase.co` of `https://ref.supabase.co`; a name without a dot has itself only."""
    host = urlsplit(url).hostname or ""
    return host.partition(".")[2] or host
