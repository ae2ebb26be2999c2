"""JSON as people write it in comments: what can be made sense of is read, the rest is refused.

Taken as they are: single quotes, keys without quotes, `True` and `None`, commas too many or
missing, comments after a value, a number broken over two lines. An ellipsis is counted: something
was cut there.
"""

import re
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+|(?://|\#)[^\n]*|\\(?=\s*\n))
    | (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.]))
    | (?P<cut>\.{2,}[^\n\]}]*)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<mark>[\[\]{}:,])
    """,
    re.VERBOSE,
)
_BROKEN_NUMBER = re.compile(r"\d+\.? \d+")
_WORDS = {"true": True, "false": False, "null": None, "none": None, "undefined": None}


class UnreadableError(Exception):
    """The text is no document, and what was meant cannot be told."""


@dataclass(slots=True, kw_only=True)
class Document:
    """One document, and where it ends."""

    value: Any
    end: int
    cuts: int


@dataclass(slots=True)
class _Reading:
    text: str
    at: int = 0
    cuts: int = 0
    kind: str = field(default="")
    token: str = field(default="")

    def advance(self) -> None:
        """Go to the next token; ellipses are counted and passed over."""
        while True:
            found = _TOKEN.match(self.text, self.at)
            if found is None:
                raise UnreadableError(self.text[self.at : self.at + 30].strip() or "it ends early")
            self.kind, self.token = str(found.lastgroup), found.group()
            self.at = found.end()
            if self.kind == "cut":
                self.cuts += 1
            elif self.kind != "blank":
                return

    def value(self) -> Any:
        """Read the value that begins with the current token."""
        match self.kind, self.token:
            case "mark", "{":
                return self.pairs()
            case "mark", "[":
                return self.items()
            case "text", token:
                return _text(token)
            case "number", token:
                return float(token) if re.search(r"[.eE]", token) else int(token)
            case "word", token if token.lower() in _WORDS:
                return _WORDS[token.lower()]
        raise UnreadableError(f"no value: {self.token}")

    def pairs(self) -> dict[str, Any]:
        """Read an object after its opening bracket."""
        found: dict[str, Any] = {}
        while True:
            self.advance()
            if self.token == "}" and self.kind == "mark":
                return found
            if self.token == "," and self.kind == "mark":
                continue
            if self.kind not in {"text", "word"}:
                raise UnreadableError(f"no key: {self.token}")
            key = _text(self.token) if self.kind == "text" else self.token
            self.advance()
            if self.kind != "mark" or self.token != ":":
                raise UnreadableError(f"no value of {key}")
            self.advance()
            found[key] = self.value()

    def items(self) -> list[Any]:
        """Read a list after its opening bracket."""
        found: list[Any] = []
        while True:
            self.advance()
            if self.token == "]" and self.kind == "mark":
                return found
            if self.token != "," or self.kind != "mark":
                found.append(self.value())


def _text(token: str) -> str:
    inner = re.sub(r"\\(.)", r"\1", token[1:-1])
    return inner.replace(" ", "") if _BROKEN_NUMBER.fullmatch(inner) else inner


def read_document(text: str, start: int = 0) -> Document:
    """Read the object or list that begins at `start`.

    Raises:
        UnreadableError: it is none.

    """
    reading = _Reading(text, start)
    reading.advance()
    value = reading.value()
    return Document(value=value, end=reading.at, cuts=reading.cuts)
