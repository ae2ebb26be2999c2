"""What a token or key says about itself. Nothing here is verified, and nothing of it is a secret:
a fingerprint opens no door.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from reconciler.domain.auth_probes import TokenFacts

LONGEST_CLAIM = 200
_JWT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*")
"""Strictly: base64 would forgive quotes and line breaks that a key was copied with."""
_OPAQUE = re.compile(r"sb_(secret|publishable)_[A-Za-z0-9_-]+")


class KeyKind(StrEnum):
    """The forms that Supabase's API keys have."""

    LEGACY = "legacy JWT key"
    SECRET = "sb_secret key"  # noqa: S105 - a kind's name
    PUBLISHABLE = "sb_publishable key"
    OTHER = "key of no form that Supabase gives out"


def kind_of_key(key: str) -> KeyKind:
    """The form of an API key."""
    if opaque := _OPAQUE.fullmatch(key):
        return KeyKind.SECRET if opaque[1] == "secret" else KeyKind.PUBLISHABLE
    return KeyKind.LEGACY if facts_of(key).is_jwt else KeyKind.OTHER


def fingerprint_of(token: str) -> str:
    """The start of its SHA-256: tells one token from another."""
    return hashlib.sha256(token.encode()).hexdigest()[:12]


def facts_of(token: str) -> TokenFacts:
    """Header and claims of a token, unverified; of an opaque one its fingerprint only."""
    header, claims = _read(token)
    if header is None or claims is None:
        return TokenFacts(fingerprint=fingerprint_of(token))
    return TokenFacts(
        fingerprint=fingerprint_of(token),
        is_jwt=True,
        algorithm=_text(header, "alg"),
        key_id=_text(header, "kid"),
        issuer=_text(claims, "iss"),
        audience=_audience(claims),
        user_id=_text(claims, "sub"),
        role=_text(claims, "role"),
        project=_text(claims, "ref"),
        issued_at=_time(claims, "iat"),
        expires_at=_time(claims, "exp"),
    )


def email_in(token: str) -> str | None:
    """The address that a token claims; to be compared, never kept."""
    _, claims = _read(token)
    return _text(claims, "email") if claims is not None else None


def _read(token: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    if (parts := _JWT.fullmatch(token)) is None:
        return None, None
    return _part(parts[1]), _part(parts[2])


def _part(part: str) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value[:LONGEST_CLAIM] if isinstance(value, str) and value.isprintable() else None


def _audience(claims: Mapping[str, Any]) -> str | None:
    value = claims.get("aud")
    if isinstance(value, list):
        return ", ".join(each for each in value if isinstance(each, str))[:LONGEST_CLAIM] or None
    return _text(claims, "aud")


def _time(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
