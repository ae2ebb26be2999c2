"""What a notice says: what happened, what was done, what to do next. Plain text and Markdown."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LISTED = 10
"""Of a message for many; the rest is a number."""
WORDS = {
    "incident_reminder": "still open, nobody has acknowledged it",
    "incident_escalated": "escalated",
    "profile_reenabled": "profile re-enabled",
    "profile_released": "profile re-enabled",
}
FACTS = ("account", "symbol", "profile_id", "order_id", "mode", "by", "why", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one channel, for one notice or for many of one cause."""

    key: str
    """The same whenever it is sent again."""
    title: str
    text: str
    markdown: str
    payloads: tuple[Mapping[str, Any], ...]
    """The notices, oldest first."""


def key_of(keys: Sequence[str]) -> str:
    """The key of a message: of one notice its own, of many one made of theirs."""
    if len(keys) == 1:
        return keys[0]
    return f"group:{hashlib.sha256('|'.join(sorted(keys)).encode()).hexdigest()[:20]}"


def message_of(
    payloads: Sequence[Mapping[str, Any]], *, key: str, done: Iterable[str] = ()
) -> Message:
    """Put one message together. `done`: what was written to the book because of it."""
    lines = _one(payloads[0], done) if len(payloads) == 1 else _many(payloads)
    lines.append(("key", key))
    return Message(
        key=key,
        title=_title(payloads),
        text="\n".join(f"{name}: {says}" if name else says for name, says in lines),
        markdown="\n".join(
            f"- **{name}**: {says}" if name else f"{says}\n" for name, says in lines
        ),
        payloads=tuple(payloads),
    )


def word_of(event: object) -> str:
    """An event as people say it."""
    return WORDS.get(str(event), str(event or "").removeprefix("incident_"))


def _title(payloads: Sequence[Mapping[str, Any]]) -> str:
    first = payloads[0]
    gravest = min(str(p.get("severity", "INFO")) for p in payloads)  # 'SEV-1' < 'SEV-2'
    kinds = list(dict.fromkeys(str(p.get("kind", "")) for p in payloads))
    words = (
        f"[{gravest}]",
        f"{len(payloads)} times" if len(payloads) > 1 else "",
        kinds[0] if len(kinds) == 1 else f"{len(kinds)} kinds",
        word_of(first.get("event")),
    )
    return " ".join(word for word in words if word)


def _one(payload: Mapping[str, Any], done: Iterable[str]) -> list[tuple[str, str]]:
    lines = [("", str(payload.get("title", "")))]
    lines += [(name, str(payload[name])) for name in FACTS if payload.get(name) is not None]
    lines += [("done", each) for each in done]
    incident = payload.get("incident_id")
    if incident is not None:
        lines.append(("incident", str(incident)))
        if "kind" in payload and payload.get("event") != "incident_resolved":
            lines.append(("next", f"reconciler incidents show {incident}"))
            lines.append(("runbook", _runbook(payload)))
    return lines


def _many(payloads: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    first = payloads[0]
    accounts = list(dict.fromkeys(str(p.get("account", "")) for p in payloads))
    whose = f"{len(accounts)} account{'s' * (len(accounts) != 1)}"
    named = ", ".join(accounts[:LISTED]) + _more(len(accounts) - LISTED)
    lines = [("", f"{len(payloads)} incidents of {whose}: {named}")]
    if first.get("note"):
        lines.append(("note", str(first["note"])))
    lines += [
        (f"incident {p.get('incident_id')}", str(p.get("title", ""))) for p in payloads[:LISTED]
    ]
    if len(payloads) > LISTED:
        lines.append(("", f"…{_more(len(payloads) - LISTED)}"))
    if first.get("event") != "incident_resolved":
        lines.append(("next", "reconciler incidents list"))
        lines += [
            ("runbook", each) for each in dict.fromkeys(_runbook(p) for p in payloads[:LISTED])
        ]
    return lines


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _runbook(payload: Mapping[str, Any]) -> str:
    return f"docs/runbooks/{str(payload.get('kind', '')).replace('_', '-')}.md"
