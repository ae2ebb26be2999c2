"""A signed POST to the bot, confirmed by reading the profile's status back."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final, Protocol
from urllib.parse import quote

from reconciler.deactivation.asking import DEADLINE, Asker
from reconciler.deactivation.looking import Look
from reconciler.domain.book import INACTIVE_WORDS
from reconciler.domain.deactivation import Deactivation
from reconciler.domain.errors import DatabaseUnavailableError, DriverFailedError
from reconciler.store.connecting import Pool, borrowed

TIMESTAMP: Final = "X-Reconciler-Timestamp"
SIGNATURE: Final = "X-Reconciler-Signature"
PLACEHOLDER: Final = "{profile_id}"
NOT_FOUND: Final = 404
SERVER_ERROR: Final = 500


class ReadBack(Protocol):
    """Where the profile's status is read."""

    async def is_active(self, wanted: Deactivation) -> bool:
        """Whether the bot lets the profile enter trades. Raises DriverFailedError."""


class Signer:
    """HMAC-SHA256 over the time, a dot and the body, so that neither can be changed or replayed."""

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        """`clock`: seconds since 1970, of this host."""
        self._secret = secret.encode()
        self._clock = clock

    def headers(self, body: bytes) -> dict[str, str]:
        """Time and signature of one request."""
        at = str(int(self._clock()))
        signed = hmac.new(self._secret, f"{at}.".encode() + body, hashlib.sha256)
        return {TIMESTAMP: at, SIGNATURE: f"sha256={signed.hexdigest()}"}


class Webhook:
    """A bot that is told by HTTP."""

    name = "webhook"

    def __init__(
        self, url: str, *, secret: str, read_back: ReadBack, deadline: timedelta = DEADLINE
    ) -> None:
        """`deadline`: of the POST."""
        self._url = url
        self._asker = Asker(url, secrets=(secret,), deadline=deadline)
        self._signer = Signer(secret)
        self._read_back = read_back

    async def deactivate(self, wanted: Deactivation) -> None:
        """Post `deactivate`. Any 2xx is taken as accepted. Raises DriverFailedError."""
        await self._post("deactivate", wanted)

    async def activate(self, wanted: Deactivation) -> None:
        """Post `activate`. Any 2xx is taken as accepted. Raises DriverFailedError."""
        await self._post("activate", wanted)

    async def is_active(self, wanted: Deactivation) -> bool:
        """Read back whether the profile may enter trades. Raises DriverFailedError."""
        return await self._read_back.is_active(wanted)

    async def look(self, wanted: Deactivation | None) -> Look:
        """Whether its host answers, and what is read back of this profile; nothing is posted.

        Raises DriverFailedError.
        """
        answer = await self._asker.ask("HEAD", self._url)
        says = f"{self._asker.bot} answers"
        if wanted is not None:
            status = "active" if await self.is_active(wanted) else "inactive"
            says += f"; profile {wanted.profile_id} reads back as {status}"
        if answer.status == NOT_FOUND or answer.status >= SERVER_ERROR:
            return Look(
                says=f"{says}, but with HTTP {answer.status}; a POST was not tried",
                mend="see that deactivation.url is the path that takes the POST",
            )
        return Look(says=f"{says}; a POST was not tried")

    async def _post(self, action: str, wanted: Deactivation) -> None:
        body = json.dumps(
            {
                "action": action,
                "key": wanted.key,
                "book": wanted.book,
                "account": wanted.account,
                "profile_id": wanted.profile_id,
                "symbol": wanted.symbol,
                "incident_id": wanted.incident_id,
                "reason": wanted.reason,
            }
        ).encode()
        headers = {
            "Content-Type": "application/json",
            # Not the key alone: a profile is deactivated and activated for one incident.
            "Idempotency-Key": f"{action}:{wanted.key}",
            **self._signer.headers(body),
        }
        answer = await self._asker.ask("POST", self._url, headers=headers, body=body)
        if not answer.is_2xx:
            raise self._asker.refused(action, answer)


class AskedBack:
    """The bot is asked: `{"active": false}`, or `{"status": "paused"}`."""

    def __init__(
        self,
        url: str,
        *,
        secret: str,
        inactive: Iterable[str] = INACTIVE_WORDS,
        deadline: timedelta = DEADLINE,
    ) -> None:
        """`url` may hold `{profile_id}`. `inactive`: statuses that enter no trade, in any case."""
        self._url = url
        self._asker = Asker(url, secrets=(secret,), deadline=deadline)
        self._signer = Signer(secret)
        self._inactive = _words(inactive)

    async def is_active(self, wanted: Deactivation) -> bool:
        """Read back whether the profile may enter trades. Raises DriverFailedError."""
        url = self._url.replace(PLACEHOLDER, quote(wanted.profile_id, safe=""))
        answer = await self._asker.ask("GET", url, headers=self._signer.headers(b""))
        if not answer.is_2xx:
            raise self._asker.refused("the question for the profile's status", answer)
        active = _active_in(answer.body, self._inactive)
        if active is None:
            raise DriverFailedError(
                f'{self._asker.bot} answered neither {{"active": true or false}} nor '
                '{"status": "…"}'
            )
        return active


class StatusInBook:
    """The book is read: `status` of `profiles.select`."""

    def __init__(
        self,
        pool: Pool,
        *,
        profiles_select: str,
        inactive: Iterable[str] = INACTIVE_WORDS,
        deadline: timedelta = DEADLINE,
    ) -> None:
        """`inactive`: statuses that enter no trade, in any case."""
        self._pool = pool
        self._select = profiles_select
        self._inactive = _words(inactive)
        self._deadline = deadline

    async def is_active(self, wanted: Deactivation) -> bool:
        """Read back whether the profile may enter trades. Raises DriverFailedError."""
        try:
            async with (
                asyncio.timeout(self._deadline.total_seconds()),
                borrowed(self._pool) as connection,
            ):
                rows = await connection.fetch(self._select)
        except (TimeoutError, DatabaseUnavailableError) as error:
            said = str(error) or f"nothing within {self._deadline.total_seconds():g} s"
            raise DriverFailedError(f"the status in book {wanted.book}: {said}") from error
        for row in rows:
            if str(row["id"]) == wanted.profile_id:
                return str(row["status"]).strip().lower() not in self._inactive
        raise DriverFailedError(f"profile {wanted.profile_id} is not in book {wanted.book}")


def _words(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.strip().lower() for word in words)


def _active_in(body: Any, inactive: frozenset[str]) -> bool | None:
    """None: it says neither."""
    if not isinstance(body, dict):
        return None
    active, status = body.get("active"), body.get("status")
    if isinstance(active, bool):
        return active
    if isinstance(status, str) and status.strip():
        return status.strip().lower() not in inactive
    return None
