"""Rows of our tables as the desk's answers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from reconciler.incidents.answers import EvidenceRow
from reconciler.incidents.evidence import FORMAT

Answer = TypeVar("Answer")
JSON_COLUMNS = frozenset({"details", "before", "after"})


def answer_of(kind: type[Answer], row: Any) -> Answer:
    """One row whose columns are named as the fields are."""
    return kind(
        **{
            field.name: json.loads(row[field.name])
            if field.name in JSON_COLUMNS
            else row[field.name]
            for field in fields(kind)  # type: ignore[arg-type]  # every answer is a dataclass
        }
    )


def answers_of(kind: type[Answer], rows: Iterable[Any]) -> tuple[Answer, ...]:
    """Every row."""
    return tuple(answer_of(kind, row) for row in rows)


def evidence_of(row: Any) -> EvidenceRow:
    """What a stored bundle holds, in a few words."""
    bundle: Mapping[str, Any] = json.loads(row["bundle"])
    book, venue = bundle.get("book") or {}, bundle.get("venue") or {}
    scopes = venue.get("scopes") or []
    verdict = bundle.get("verdict") or {}
    return EvidenceRow(
        id=row["id"],
        at=row["at"],
        book_read_at=book.get("read_at"),
        venue_taken_at=venue.get("taken_at"),
        scopes={scope["name"]: scope["completeness"] for scope in scopes},
        calls=tuple(calls_of(bundle)),
        verdict=verdict.get("kind"),
        reason=verdict.get("reason") or verdict.get("why"),
        replayable=bundle.get("format") == FORMAT and bundle.get("judged") is not None,
    )


def calls_of(bundle: Mapping[str, Any]) -> Iterable[str]:
    """The calls that gave no whole answer, and the rungs of the lookup."""
    for scope in (bundle.get("venue") or {}).get("scopes") or []:
        failure = scope.get("failure")
        if failure:
            yield f"{failure['call']}: {failure['detail']}"
    lookup = bundle.get("lookup") or {}
    yield from (f"lookup by {rung}: not known" for rung in lookup.get("rungs") or ())
    if lookup.get("type") == "Found":
        yield f"lookup by {lookup['by']}: found"
    if lookup.get("failure"):
        yield f"{lookup['failure']['call']}: {lookup['failure']['detail']}"
