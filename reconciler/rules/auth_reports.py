"""What bots say of requests that were refused: as JSON on the bus, or as rows of their tables.

Whoever may NOTIFY may say anything here: every field is bounded, and nothing is kept of a token
but its fingerprint and claims.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.domain.auth_probes import TokenFacts
from reconciler.domain.auth_rejections import BOTS_SURFACES
from reconciler.rules.auth_tokens import LONGEST_CLAIM

_CALLED: Final = {
    **{name: name for name in BOTS_SURFACES},
    **dict.fromkeys(("api", "bot", "http"), "bot_api"),
    **dict.fromkeys(("websocket", "ws"), "bot_websocket"),
    "supabase": "bot_supabase",
}
MOST_ENTRIES: Final = 20
MOST_AT_ONCE: Final = 1000
"""Refusals of one entry; more are counted as so many."""
LONGEST_REPORT: Final = 8000
"""Characters: what Postgres lets through a NOTIFY."""
_FINGERPRINT = re.compile(r"[0-9a-f]{8,64}")
_TOKEN_LIKE = re.compile(r"eyJ[\w-]{5,}|[\w-]{20,}\.[\w-]{20,}\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejections:
    """Some refusals of one kind."""

    surface: str
    code: str
    count: int
    token: TokenFacts | None = None


def report_in(text: str) -> tuple[Rejections, ...] | None:
    """The refusals that a bot reports; those that cannot be understood are left out. None: it is
    no such report.
    """
    if len(text) > LONGEST_REPORT:
        return None
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    entries = said.get("auth_rejections") if isinstance(said, dict) else None
    if not isinstance(entries, list):
        return None
    read = (_entry(each) for each in entries[:MOST_ENTRIES] if isinstance(each, dict))
    return tuple(each for each in read if each is not None)


def surface_and_code(surface: object, code: object) -> tuple[str, str] | None:
    """The two labels; None for a code that refuses nobody for want of rights there."""
    word = surface.strip().lower() if isinstance(surface, str) else ""
    label = _CALLED.get(word, "bot_other")
    is_number = isinstance(code, int) and not isinstance(code, bool) and 0 < code < 10_000  # noqa: PLR2004 - longer than any code
    number = str(code) if is_number else code
    if not isinstance(number, str) or number not in BOTS_SURFACES[label]:
        return None
    return label, number


def claims_of(given: object) -> TokenFacts | None:
    """What a bot tells of a token, each claim alone: whatever looks like a token is left out."""
    if not isinstance(given, dict):
        return None
    said = _text(given, "fingerprint") or ""
    fingerprint = said[:12] if _FINGERPRINT.fullmatch(said) else ""
    facts = TokenFacts(
        fingerprint=fingerprint or "not told",
        is_jwt=True,
        algorithm=_text(given, "alg"),
        key_id=_text(given, "kid"),
        issuer=_text(given, "iss"),
        audience=_text(given, "aud"),
        user_id=_text(given, "sub"),
        role=_text(given, "role"),
        expires_at=_time(given, "exp"),
    )
    return facts if facts != TokenFacts(fingerprint="not told", is_jwt=True) else None


def _entry(given: Mapping[str, Any]) -> Rejections | None:
    labels = surface_and_code(given.get("surface"), given.get("code"))
    count = given.get("count", 1)
    if labels is None or isinstance(count, bool) or not isinstance(count, int) or count < 1:
        return None
    return Rejections(
        surface=labels[0],
        code=labels[1],
        count=min(count, MOST_AT_ONCE),
        token=claims_of(given.get("claims")),
    )


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if not isinstance(value, str) or not value.isprintable() or _TOKEN_LIKE.search(value):
        return None
    return value[:LONGEST_CLAIM] or None


def _time(given: Mapping[str, Any], name: str) -> datetime | None:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
