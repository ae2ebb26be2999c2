"""What a project signs and is asked with: the legacy secret, an ES256 key, and API keys."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

TEN_YEARS: Final = timedelta(days=3652)
Role = Literal["anon", "service_role"]


class TokenRefused(Exception):  # noqa: N818 - what a server says, not our error
    """GoTrue's `bad_jwt`, with its words."""


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(slots=True, kw_only=True)
class ProjectKeys:
    """One project's keys. They begin with HS256, as old projects do."""

    ref: str = "abcdefghijklmnopqrst"
    jwt_secret: str = field(default_factory=lambda: secrets.token_urlsafe(40), repr=False)
    algorithm: Literal["HS256", "ES256"] = "HS256"
    """What new tokens are signed with."""
    accepts_hs256: bool = True
    """False once the legacy secret is revoked."""
    legacy_disabled: bool = False
    """The legacy anon and service_role keys; always both at once."""
    secret_key: str = field(
        default_factory=lambda: f"sb_secret_{secrets.token_urlsafe(24)}", repr=False
    )
    publishable_key: str = field(
        default_factory=lambda: f"sb_publishable_{secrets.token_urlsafe(24)}", repr=False
    )
    _private: ec.EllipticCurvePrivateKey = field(default_factory=_new_key, repr=False)
    _key_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def anon_key(self) -> str:
        """The legacy public key."""
        return self.legacy_key("anon")

    @property
    def service_key(self) -> str:
        """The legacy secret key."""
        return self.legacy_key("service_role")

    def legacy_key(self, role: Role, *, expires_at: datetime | None = None) -> str:
        """An API key that is a JWT; the same for the same times."""
        issued_at = datetime(2025, 1, 1, tzinfo=UTC)
        claims = {
            "iss": "supabase",
            "ref": self.ref,
            "role": role,
            "iat": int(issued_at.timestamp()),
            "exp": int((expires_at or issued_at + TEN_YEARS).timestamp()),
        }
        return jwt.encode(claims, self.jwt_secret, "HS256")

    def rotate(self, *, revoke: bool = False) -> None:
        """From the legacy secret to ES256, or to a new ES256 key. `revoke`: HS256 ends now."""
        if self.algorithm == "ES256":
            self._private, self._key_id = _new_key(), secrets.token_hex(8)
        self.algorithm = "ES256"
        if revoke:
            self.accepts_hs256 = False

    def published(self) -> dict[str, Any]:
        """The JWKS document: nothing while the project signs with a secret."""
        if self.algorithm == "HS256":
            return {"keys": []}
        row = ECAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return {"keys": [{**row, "kid": self._key_id, "use": "sig", "alg": "ES256"}]}

    def sign(self, claims: dict[str, Any]) -> str:
        """A token of the key in use."""
        if self.algorithm == "HS256":
            return jwt.encode(claims, self.jwt_secret, "HS256")
        return jwt.encode(claims, self._private, "ES256", headers={"kid": self._key_id})

    def verify(self, token: str, *, now: datetime) -> dict[str, Any]:
        """The claims, as GoTrue verifies: by its own clock, without leeway, whatever `aud` says.

        Raises TokenRefused.
        """
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise TokenRefused("invalid JWT: unable to parse or verify signature") from error
        key, algorithm = self._key_of(header)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                [algorithm],
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_aud": False,
                },
            )
        except jwt.PyJWTError as error:
            raise TokenRefused(
                "invalid JWT: unable to parse or verify signature, token signature is invalid"
            ) from error
        if claims.get("exp", 0) <= now.timestamp():
            raise TokenRefused("invalid JWT: token has invalid claims: token is expired")
        if claims.get("iat", 0) > now.timestamp() + 1:
            raise TokenRefused("invalid JWT: token has invalid claims: token used before issued")
        return claims

    def _key_of(self, header: dict[str, Any]) -> tuple[Any, str]:
        match header.get("alg"), header.get("kid"):
            case "HS256", _ if self.accepts_hs256:
                return self.jwt_secret, "HS256"
            case "ES256", kid if self.algorithm == "ES256":
                if kid != self._key_id:
                    raise TokenRefused(f"invalid JWT: unrecognized JWT kid {kid} for ES256")
                return self._private.public_key(), "ES256"
            case algorithm, _:
                raise TokenRefused(f"invalid JWT: signing method {algorithm} is invalid")
