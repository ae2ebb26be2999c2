"""Tokens good and bad, and a server that publishes the keys of the good ones."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "authenticated"
SECRET = "a legacy secret of this project, which is long enough"
OPERATOR_SUB = "8a1b6a4e-0000-4000-8000-000000000001"
VIEWER_SUB = "8a1b6a4e-0000-4000-8000-000000000002"
STRANGER_SUB = "8a1b6a4e-0000-4000-8000-000000000003"
OPERATOR_TOKEN = "op-2wJ9yqk3Qm5uRr0Yd1s8Zg"
VIEWER_TOKEN = "vw-7hT4cXn6Lp2oKb9Fe3a5Vi"

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())
"""Nobody publishes this one, unless a test does."""


def hash_of(token: str) -> str:
    return "sha256:" + hashlib.sha256(token.encode()).hexdigest()


def public(kid: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> dict[str, Any]:
    """One row of a JWKS document."""
    if isinstance(key, rsa.RSAPrivateKey):
        row = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {**row, "kid": kid, "use": "sig", "alg": "RS256"}
    row = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**row, "kid": kid, "use": "sig", "alg": "ES256"}


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def spliced(header: Mapping[str, Any], claims: Mapping[str, Any], key: bytes | None) -> str:
    """A token as no library would make it: any header, any bytes as HMAC key, or no signature."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    said = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    if key is None:
        return f"{said}."
    return f"{said}.{part(hmac.digest(key, said.encode(), 'sha256'))}"


@dataclass(slots=True, kw_only=True)
class Jwks:
    """An address that publishes keys, or does what such addresses do on a bad day."""

    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    mood: str = "well"
    asked: int = 0

    @property
    def issuer(self) -> str:
        return f"{self.url}/auth/v1"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        match self.mood:
            case "down":
                return web.Response(status=503, text="upstream connect error")
            case "hanging":
                await asyncio.sleep(60)
            case "garbage":
                return web.Response(text="<html>maintenance</html>")
            case "no document":
                return web.json_response({"keys": "none"})
            case "huge":
                return web.Response(text='{"keys": [' + " " * 400_000 + "]}")
            case "elsewhere":
                raise web.HTTPFound("/elsewhere")
        return web.json_response({"keys": self.keys})

    async def elsewhere(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [public("evil", OTHER_EC_KEY)]})

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": OPERATOR_SUB,
            "exp": now + 3600,
            "iat": now,
            "role": "authenticated",
        } | more
        return {name: value for name, value in claims.items() if value is not None}

    def signed(self, **more: Any) -> str:
        """By the published ES256 key."""
        return jwt.encode(self.claims(**more), EC_KEY, "ES256", headers={"kid": "ec"})

    def signed_by_rsa(self, **more: Any) -> str:
        return jwt.encode(self.claims(**more), RSA_KEY, "RS256", headers={"kid": "rsa"})

    def signed_by_secret(self, **more: Any) -> str:
        return jwt.encode(self.claims(**more), SECRET, "HS256")


@asynccontextmanager
async def published() -> AsyncIterator[Jwks]:
    """A server on a free port that publishes both keys."""
    jwks = Jwks(keys=[public("ec", EC_KEY), public("rsa", RSA_KEY)])
    app = web.Application()
    app.router.add_get("/auth/v1/.well-known/jwks.json", jwks.answer)
    app.router.add_get("/elsewhere", jwks.elsewhere)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        jwks.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield jwks
    finally:
        await runner.cleanup()


def bad_tokens(jwks: Jwks) -> dict[str, str | None]:
    """What must open nothing, by what is wrong with it."""
    past = int(time.time()) - 31
    ahead = int(time.time()) + 3600
    claims = jwks.claims()
    return {
        "no token": None,
        "unknown operator token": "op-0000000000000000000000",
        "the hash as token": hash_of(OPERATOR_TOKEN).removeprefix("sha256:"),
        "expired": jwks.signed(exp=past),
        "expired, by the secret": jwks.signed_by_secret(exp=past),
        "not valid yet": jwks.signed(nbf=ahead),
        "issued in the future": jwks.signed(iat=ahead),
        "without exp": jwks.signed(exp=None),
        "without sub": jwks.signed(sub=None),
        "empty sub": jwks.signed(sub=""),
        "without aud": jwks.signed(aud=None),
        "without iss": jwks.signed(iss=None),
        "sub that is no text": spliced({"alg": "HS256"}, claims | {"sub": 7}, SECRET.encode()),
        "wrong audience": jwks.signed(aud="somebody else"),
        "wrong issuer": jwks.signed(iss="https://other.example/auth/v1"),
        "issuer with a slash more": jwks.signed(iss=jwks.issuer + "/"),
        "wrongly signed": jwt.encode(claims, OTHER_EC_KEY, "ES256", headers={"kid": "ec"}),
        "wrongly signed by a secret": jwt.encode(claims, SECRET + "!", "HS256"),
        "signature cut off": jwks.signed().rpartition(".")[0] + ".",
        "other claims under the signature": _other_claims(jwks),
        "unknown kid": jwt.encode(claims, OTHER_EC_KEY, "ES256", headers={"kid": "new"}),
        "no kid": jwt.encode(claims, EC_KEY, "ES256"),
        "alg none": spliced({"alg": "none", "typ": "JWT"}, claims, None),
        "alg NoNe with kid": spliced({"alg": "NoNe", "kid": "ec"}, claims, None),
        "alg of another size": jwt.encode(claims, SECRET * 2, "HS512"),
        "HS256 by the RSA key": spliced({"alg": "HS256", "kid": "rsa"}, claims, pem(RSA_KEY)),
        "HS256 by the EC key": spliced({"alg": "HS256", "kid": "ec"}, claims, pem(EC_KEY)),
        "HS256 by the JWK": spliced(
            {"alg": "HS256", "kid": "ec"}, claims, json.dumps(public("ec", EC_KEY)).encode()
        ),
        "HS256 by nothing": spliced({"alg": "HS256"}, claims, b""),
        "RS256 of the EC key's id": jwt.encode(claims, RSA_KEY, "RS256", headers={"kid": "ec"}),
        "brings its own key": jwt.encode(
            claims, OTHER_EC_KEY, "ES256", headers={"kid": "x", "jwk": public("x", OTHER_EC_KEY)}
        ),
        "critical header": spliced({"alg": "HS256", "crit": ["exp"]}, claims, SECRET.encode()),
        "alg that is a list": spliced({"alg": ["HS256"]}, claims, SECRET.encode()),
        "deep": spliced({"alg": "HS256"}, claims, SECRET.encode()).replace(".", "." * 3),
        "claims that are a list": spliced({"alg": "HS256"}, [], SECRET.encode()),  # type: ignore[arg-type]  # the point
        "endless expiry": spliced({"alg": "HS256"}, claims | {"exp": 1e400}, SECRET.encode()),
    }


def forbidden_tokens(jwks: Jwks) -> dict[str, str]:
    """Good tokens of people who may not change anything."""
    return {
        "viewer token": VIEWER_TOKEN,
        "viewer by JWT": jwks.signed(sub=VIEWER_SUB),
        "stranger by JWT": jwks.signed(sub=STRANGER_SUB),
        "stranger by the secret": jwks.signed_by_secret(sub=STRANGER_SUB, role="service_role"),
    }


def _other_claims(jwks: Jwks) -> str:
    header, _, signature = jwks.signed(sub=VIEWER_SUB).split(".")
    claims = base64.urlsafe_b64encode(json.dumps(jwks.claims()).encode()).rstrip(b"=").decode()
    return f"{header}.{claims}.{signature}"
