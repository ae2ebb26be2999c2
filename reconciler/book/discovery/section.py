"""The `[book]` section as text: what the person checks, and what is checked is just this."""

import json
from collections.abc import Iterable, Mapping, Sequence

from reconciler.book.discovery.proposal import NOT_OURS, Part
from reconciler.book.discovery.words import OrderWords
from reconciler.domain.orders import OrderState

ASK = "-- write this statement: see docs/connect-your-bot.md, section 3"
"""Refused by every check, so that an unfinished section is never judged with."""
MEANINGS = tuple(s for s in OrderState if s is not OrderState.UNMAPPED)
STATEMENTS = {
    "profiles": ("select", "deactivate", "activate"),
    "orders": ("select", "find", "update"),
    "positions": ("select",),
}


def preset_section(
    name: str, *, place: str, parameters: Mapping[str, str], timezone: str | None
) -> str:
    """For tables that a preset knows. `place`: `book`, or `books.<name>`."""
    lines = [f"[{place}]", f"preset = {quoted(name)}"]
    if timezone is not None:
        lines.append(f"timezone = {quoted(timezone)}")
    if parameters:
        told = ", ".join(f"{key} = {quoted(value)}" for key, value in parameters.items())
        lines.append(f"parameters = {{ {told} }}")
    return "\n".join(lines) + "\n"


def own_section(
    parts: Sequence[Part], *, place: str, untold: Iterable[str], assumed: Iterable[str]
) -> str:
    """For tables that no preset knows, with what to look at as comments."""
    lines = [
        "# proposed by `reconciler book init` from names, types and a sample of rows: check it",
        *_comments("could not be told", untold),
        *_comments("concluded; look whether it is right", assumed),
        f"[{place}]",
    ]
    words = next((p.words for p in parts if p.words is not None), None)
    if words is not None:
        lines += _vocabulary(words, place)
    for part in parts:
        lines += ["", f"[{place}.{part.what}]"]
        if part.table is not None:
            lines.append(f"# {part.table.quoted}")
        for key in STATEMENTS[part.what]:
            lines.append(f"{key} = {_statement(part.statements.get(key))}")
    return "\n".join(lines) + "\n"


def _comments(heading: str, notes: Iterable[str]) -> list[str]:
    found = [f"#   - {_one_line(note)}" for note in notes]
    return [f"# {heading}:", *found] if found else []


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _vocabulary(words: OrderWords, place: str) -> list[str]:
    lines: list[str] = []
    if words.added or words.unmapped:
        lines += ["", f"[{place}.vocabulary]"]
        lines += [f"{quoted(word)} = {quoted(state.value)}" for word, state in words.added.items()]
        if words.unmapped:
            lines.append(f"# one of: {', '.join(s.value for s in MEANINGS)}")
        lines += [
            f'# {quoted(_one_line(word))} = ""   # {words.seen[word]} rows of the sample; '
            "its orders are not judged until it is filled in"
            for word in words.unmapped
        ]
    lines += ["", f"[{place}.write]"]
    lines += [f"{state.value} = {quoted(word)}" for state, word in words.write.items()]
    lines += [f'# {state.value} = ""   # the column has no word for it' for state in words.missing]
    return lines


def _statement(sql: str | None) -> str:
    if sql == NOT_OURS:
        return quoted(NOT_OURS)
    escaped = (sql or ASK).replace("\\", "\\\\").replace('"""', '""\\"')
    return f'"""\n{escaped}\n"""'


def quoted(text: str) -> str:
    """A TOML string on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
