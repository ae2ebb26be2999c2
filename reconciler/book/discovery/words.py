"""The status words of a book: what they mean, which have ended, how each state is written back.

A word that is not known is listed for a person, and never taken as ended.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.book.discovery.catalogue import Column, Kind
from reconciler.book.discovery.sampling import Values
from reconciler.domain.orders import TERMINAL_STATES, OrderState
from reconciler.rules.vocabulary import state_of

WRITTEN = (
    OrderState.OPEN,
    OrderState.PARTIALLY_FILLED,
    OrderState.CANCELING,
    OrderState.FILLED,
    OrderState.CANCELED,
    OrderState.EXPIRED,
    OrderState.REJECTED,
    OrderState.UNKNOWN,
)
ENDED_WORDS = ("filled", "canceled", "cancelled", "expired", "rejected")
"""Looked for even where no row has them yet, in the spelling of the others."""
NEAR = {OrderState.EXPIRED: OrderState.CANCELED, OrderState.REJECTED: OrderState.CANCELED}
"""What is written where a closed list has no word of its own: both have ended without a fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWords:
    """What a column of statuses says."""

    seen: Mapping[str, int]
    """Every word of the sample, and those that the type or a CHECK allows, with their rows."""
    added: Mapping[str, OrderState]
    """Words that a comment on the column explains."""
    unmapped: tuple[str, ...]
    ended: tuple[str, ...]
    """For the statement's WHERE."""
    write: Mapping[OrderState, str]
    allowed: tuple[str, ...] | None
    """All that may be written: the column takes no others."""
    missing: tuple[OrderState, ...]
    """States that cannot be written."""

    def ended_in(self, *states: OrderState) -> tuple[str, ...]:
        """The ended words of these states."""
        return tuple(w for w in self.ended if state_of(w, added=self.added) in states)


def order_words(column: Column, values: Values) -> OrderWords:
    """The words of this column. Codes are explained by the column's comment, or not at all."""
    seen = {**dict.fromkeys(column.labels, 0), **values.words}
    seen.pop("", None)
    added = _explained(column)
    states = {word: state_of(word, added=added) for word in (*seen, *added)}
    closed = tuple(column.labels) if column.labels else None
    if column.kind is Kind.WHOLE:
        closed = tuple(added)
    ended = [word for word, state in states.items() if state in TERMINAL_STATES]
    if closed is None:
        ended += [spelt for word in ENDED_WORDS if (spelt := _spelt(word, seen)) not in ended]
    write = _written(states, seen, closed=closed, longest=column.longest)
    too_long = column.longest is not None and len(write) < len(WRITTEN)
    return OrderWords(
        seen=seen,
        added=added,
        unmapped=tuple(w for w in seen if states[w] is OrderState.UNMAPPED),
        ended=tuple(ended),
        write=write,
        allowed=tuple(dict.fromkeys((*write.values(), *seen)))
        if closed is not None or too_long
        else None,
        missing=tuple(state for state in WRITTEN if state not in write),
    )


def _explained(column: Column) -> dict[str, OrderState]:
    """`0=new, 1=open, 2=filled`, as people write it into a comment on the column."""
    if column.kind is not Kind.WHOLE or not column.comment:
        return {}
    pairs = re.findall(r"(-?\d+)\s*(?:=|:|-|->)\s*['\"]?([A-Za-z][A-Za-z_ ]*)", column.comment)
    states = {code: state_of(word) for code, word in pairs}
    return {code: state for code, state in states.items() if state is not OrderState.UNMAPPED}


def _written(
    states: Mapping[str, OrderState],
    seen: Mapping[str, int],
    *,
    closed: tuple[str, ...] | None,
    longest: int | None,
) -> dict[OrderState, str]:
    found: dict[OrderState, str] = {}
    for state in WRITTEN:
        words = [w for w, s in states.items() if s is state]
        if words:
            found[state] = max(words, key=lambda w: (_says(w, state), seen.get(w, 0)))
        elif closed is None:
            spelt = _spelt(state.value, seen)
            if longest is None or len(spelt) <= longest:
                found[state] = spelt
    for state, near in NEAR.items():
        if state not in found and near in found:
            found[state] = found[near]
    return found


def _says(word: str, state: OrderState) -> bool:
    """`CANCELLED` says canceled; `replaced` is one of its reasons."""
    letters = re.sub(r"[^a-z]", "", word.lower()).replace("ll", "l")
    return letters == state.value.replace("_", "").replace("ll", "l")


def _spelt(word: str, seen: Iterable[str]) -> str:
    """As the others are spelt: `PARTIALLY_FILLED`, `PartiallyFilled`, `partially-filled`."""
    others = [w for w in seen if re.search("[A-Za-z]", w)]
    if any("-" in w for w in others) and not any("_" in w for w in others):
        word = word.replace("_", "-")
    if others and all(w.isupper() for w in others):
        return word.upper()
    if others and all(w[0].isupper() for w in others):
        return "".join(part.title() for part in word.split("_"))
    return word
