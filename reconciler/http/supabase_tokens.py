"""Supabase JWTs: whose they are, once everything about them was checked.

The key decides the algorithm, never the token: a public key verifies RS256 or ES256 as it is RSA
or EC, the legacy secret verifies HS256, and nothing else is accepted from anybody.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final

import jwt

from reconciler.http.callers import Caller, TokenRefusedError
from reconciler.http.signing_keys import SigningKeys
from reconciler.settings.people import Role

LEEWAY: Final = timedelta(seconds=30)
"""For clocks: theirs and ours are rarely further apart."""
LONGEST_NAME: Final = 200

_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What a token made by nobody's library makes PyJWT and json raise."""


class SupabaseTokens:
    """Verifies the JWTs of one issuer."""

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        keys: SigningKeys,
        secret: str | None = None,
        viewers: Collection[str] = (),
        operators: Collection[str] = (),
    ) -> None:
        """`secret` is the legacy HS256 one; `viewers` and `operators` are user ids (`sub`)."""
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._secret = secret
        self._viewers = frozenset(viewers)
        self._operators = frozenset(operators)
        self._jwt = jwt.PyJWT(
            options={
                "require": ["exp", "sub", "iss", "aud"],
                "enforce_minimum_key_length": True,
            }
        )

    async def caller(self, token: str) -> Caller:
        """Who it is. Raises TokenRefusedError."""
        claims = await self._claims(token)
        sub = claims["sub"]
        if not sub or len(sub) > LONGEST_NAME or not sub.isprintable():
            raise TokenRefusedError("no usable sub")
        return Caller(name=_name_of(sub, claims.get("email")), role=self._role(sub))

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except _UNREADABLE as error:
            raise TokenRefusedError("not a token of ours, and no JWT") from error
        key, algorithm = await self._key_for(header)
        try:
            return self._jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
            )
        except _UNREADABLE as error:
            raise TokenRefusedError(f"{type(error).__name__}: {error}") from error

    async def _key_for(self, header: Mapping[str, Any]) -> tuple[Any, str]:
        """The key, and the one algorithm that it may be used with."""
        if "crit" in header:
            raise TokenRefusedError("has a critical header that we do not know")
        match header.get("alg"), header.get("kid"):
            case "HS256", _ if self._secret is not None:
                return self._secret, "HS256"
            case "RS256" | "ES256", str() as kid:
                key = await self._keys.find(kid)
                if key is None:
                    raise TokenRefusedError("signed with a key that is not published")
                return key.public, key.algorithm  # a header that names the other is refused by it
            case algorithm, _:
                raise TokenRefusedError(f"signed by {str(algorithm)[:20]!r}, or without a key id")

    def _role(self, sub: str) -> Role | None:
        if sub in self._operators:
            return "operator"
        return "viewer" if sub in self._viewers else None


def _name_of(sub: str, email: object) -> str:
    """People read the address, and the id beside it cannot be chosen by who has it."""
    if isinstance(email, str) and 0 < len(email) <= LONGEST_NAME and email.isprintable():
        return f"{email} ({sub})"
    return sub
