"""One HTTP request of the probe: bounded in time and size, no redirect, nothing secret kept."""

import asyncio
import json
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import SimpleNamespace, TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, quote_plus, urlsplit

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
_TOKEN_LIKE = re.compile(r"eyJ[\w-]+(?:\.[\w-]*){0,2}|sb_secret_[\w-]+")
_UNSENDABLE = re.compile(r"[\r\n\0]")


class UnsendableError(ValueError):
    """A header that no request can have. It says nothing of what is in it."""


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
            trace_configs=[_without_redirects()],
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
        encoded = {way(secret) for secret in given for way in (quote, quote_plus)}
        self._secrets |= given | encoded | {part for part in parts if len(part) >= SHORTEST_PART}

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
            refuse_unsendable(headers or {})
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
                    clock_skew=_skew(answer.headers, before + took / 2)
                    if took <= CLOCK_WITHIN
                    else None,
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Answered(no_answer=await self.why_none(error, url))

    async def why_none(self, error: Exception, url: str) -> NoAnswer:
        """Why there was no answer. A name that is not there is told from a resolver that is not."""
        match error:
            case UnsendableError():
                return NoAnswer.UNSENDABLE
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
        text = _TOKEN_LIKE.sub("***", text)
        return "".join(c if c.isprintable() else " " for c in text)[:LONGEST_MESSAGE].strip()


def refuse_unsendable(headers: Mapping[str, str]) -> None:
    """Raises UnsendableError: a key that was copied with its line break fits in no header."""
    if any(_UNSENDABLE.search(value) for value in headers.values()):
        raise UnsendableError


def _without_redirects() -> aiohttp.TraceConfig:
    """WebSockets of aiohttp cannot be told not to follow them, with the token in the headers."""

    async def refuse(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        redirected: aiohttp.TraceRequestRedirectParams,
    ) -> None:
        answer = redirected.response
        answer.close()
        raise aiohttp.WSServerHandshakeError(
            answer.request_info, answer.history, status=answer.status, headers=answer.headers
        )

    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(refuse)
    return config


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


def _skew(headers: Mapping[str, str], middle: datetime) -> timedelta | None:
    """The server's clock minus ours. `Date` leaves out the fraction: half a second on average.
    In an answer from a cache, which says its age, it is of the time when it was put there.
    """
    date = headers.get("Date")
    if not date or headers.get("Age", "0").strip() != "0":
        return None
    try:
        said = parsedate_to_datetime(date)
        return said + timedelta(seconds=0.5) - middle if said.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _parent_of(url: str) -> str:
    """`supabase.co` of `https://ref.supabase.co`; a name without a dot has itself only."""
    host = urlsplit(url).hostname or ""
    return host.partition(".")[2] or host
