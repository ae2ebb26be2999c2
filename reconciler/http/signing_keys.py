"""The public keys that Supabase signs with, from its JWKS address.

Fetched when a token needs them, at most once every RETRY_AFTER, by one request at a time. While
the address is down, hangs or answers garbage, the keys we have go on.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

import aiohttp
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

log = structlog.get_logger("reconciler.http")

Algorithm: TypeAlias = Literal["RS256", "ES256"]

FRESH_FOR: Final = timedelta(minutes=10)
"""What Supabase's own edge caches them for: asking more often shows nothing newer."""
KEPT_FOR: Final = timedelta(hours=24)
"""Without an answer. A stolen key must not work for ever for who can also block our way there."""
RETRY_AFTER: Final = timedelta(seconds=30)
FETCH_WITHIN: Final = timedelta(seconds=5)
LONGEST_ANSWER: Final = 256 * 1024
RSA_BITS: Final = range(2048, 8192 + 1)
"""Shorter ones are weak, longer ones keep the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One key, and the only algorithm it is good for: nobody else's word decides that."""

    algorithm: Algorithm
    public: RSAPublicKey | EllipticCurvePublicKey


class SigningKeys:
    """The keys behind one address, by their ids."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds."""
        self._url = url
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._flight = asyncio.Lock()

    async def find(self, kid: str) -> SigningKey | None:
        """The key of that id; None: there is none, or it cannot be known now. Takes FETCH_WITHIN
        at most, and never fails.
        """
        if self._age() > KEPT_FOR.total_seconds():
            self._keys = {}
        is_known = kid in self._keys
        # A token whose key is known waits for nobody else's fetch.
        if not is_known or (self._age() > FRESH_FOR.total_seconds() and not self._flight.locked()):
            await self._refresh()
        return self._keys.get(kid)

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    async def _refresh(self) -> None:
        async with self._flight:
            now = self._clock()
            if self._tried_at is not None and now - self._tried_at < RETRY_AFTER.total_seconds():
                return
            self._tried_at = now
            try:
                self._keys = keys_of(await self._fetch())
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                why = str(error) or type(error).__name__
                log.warning(
                    "[AUTH] signing keys not fetched", url=self._url, why=why, kept=len(self._keys)
                )
                return
            self._fetched_at = self._clock()

    async def _fetch(self) -> bytes:
        """The answer's body. A session for each: it is one request in ten minutes."""
        deadline = aiohttp.ClientTimeout(total=FETCH_WITHIN.total_seconds())
        async with (
            aiohttp.ClientSession(timeout=deadline) as session,
            # A redirect would let somebody else name the keys.
            session.get(self._url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
                raise ValueError(f"HTTP {answer.status}")
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    raise ValueError(f"an answer of more than {LONGEST_ANSWER} bytes")
            return bytes(body)


def keys_of(body: bytes) -> dict[str, SigningKey]:
    """The keys of a JWKS document that we can use; others are left out.

    An empty list is an answer: projects that sign with the legacy secret publish no key.
    Raises ValueError where it is no such document.
    """
    try:
        document = json.loads(body)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    rows = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("no JWKS document")
    found = {row.get("kid"): _key_of(row) for row in rows if isinstance(row.get("kid"), str)}
    return {kid: key for kid, key in found.items() if kid is not None and key is not None}


def _key_of(row: dict[str, Any]) -> SigningKey | None:
    """One public key with its type; never a symmetric one, which no JWKS may hold."""
    algorithm: Algorithm | None = {"RSA": "RS256", "EC": "ES256"}.get(str(row.get("kty")))  # type: ignore[assignment]  # the two literals
    if (
        algorithm is None
        or row.get("use", "sig") != "sig"
        or row.get("alg", algorithm) != algorithm
    ):
        return None
    try:
        key = RSAAlgorithm.from_jwk(row) if algorithm == "RS256" else ECAlgorithm.from_jwk(row)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    match key:
        case RSAPublicKey() if key.key_size in RSA_BITS:
            return SigningKey(algorithm="RS256", public=key)
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return SigningKey(algorithm="ES256", public=key)
        case _:
            return None
