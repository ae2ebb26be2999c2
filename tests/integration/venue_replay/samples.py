"""The sample answers that the installed ccxt carries as comments in its sources."""

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from reconciler.venue.connection import ccxt_module
from tests.integration.venue_replay.lenient import Document, UnreadableError, read_document

_OURS = re.compile(
    r"fetch_(open_|closed_|canceled_|canceled_and_closed_)?orders?(_by_status|_classic|_trades)?"
    r"|fetch_(spot|contract|uta)_(canceled_and_closed_)?orders?(_by_status)?"
    r"|fetch_positions?(_risk)?"
    r"|fetch_my_(\w+_)?trades"
    r"|parse_(spot_|contract_|uta_)?order"
    r"|parse_position(_risk)?"
    r"|parse_(my_uta_|contract_|spot_or_uta_)?trade"
)
"""The methods that make our calls (or their like), and the parsers they use."""
_NOT_OURS = re.compile(r".*(dust|liquidation)_trades")
_START = re.compile(r"^[ \t]*(?=[\[{])", re.MULTILINE)


_INSIDE = (":", ",", "[", "{")
"""How a line ends below which a document goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One block of comment that is a document, or was meant to be one."""

    key: str
    """Method and number, counted from 1 in the order of the source: `fetch_order#2`."""
    label: str
    """The words above it."""
    document: Any
    """None where it cannot be read."""
    cuts: int = 0
    """Ellipses in it."""
    why_unreadable: str = ""


@cache
def samples_of(source: str) -> dict[str, Sample]:
    """Return the samples in the sources of one of ccxt's classes, by their keys."""
    of_venue = getattr(ccxt_module(), source)
    found: dict[str, Sample] = {}
    for name, method in sorted(vars(of_venue).items()):
        if not inspect.isfunction(method) or not _OURS.fullmatch(name) or _NOT_OURS.match(name):
            continue
        found |= {sample.key: sample for sample in _samples_in(name, method)}
    return found


def _samples_in(name: str, method: Callable[..., Any]) -> Iterator[Sample]:
    number = 0
    for block in _comments_of(inspect.getsource(method)):
        for label, document in _documents_in(block):
            number += 1
            key = f"{name}#{number}"
            if isinstance(document, Document):
                yield Sample(key=key, label=label, document=document.value, cuts=document.cuts)
            else:
                yield Sample(key=key, label=label, document=None, why_unreadable=str(document))


def _comments_of(source: str) -> Iterator[str]:
    """Return the runs of comment lines, without their marks."""
    lines: list[str] = []
    for line in [*source.splitlines(), ""]:
        bare = line.strip()
        if bare.startswith("#"):
            lines.append(bare[1:])
        elif lines:
            # Some quote a quote twice, as the source that was translated did.
            yield textwrap.dedent("\n".join(lines)).replace('\\\\"', '\\"')
            lines = []


def _documents_in(block: str) -> Iterator[tuple[str, Document | UnreadableError]]:
    """Return the documents of a block, each with the line above it.

    After one that cannot be read, the next one that has a heading of its own is looked for.
    """
    end, lost = 0, False
    for start in _START.finditer(block):
        above = block[: start.start()].rstrip().rpartition("\n")[2].strip()
        if start.end() < end or (lost and above.endswith(_INSIDE)):
            continue
        try:
            document = read_document(block, start.end())
        except UnreadableError as error:
            lost = True
            yield above, error
        else:
            end, lost = document.end, False
            yield above, document
