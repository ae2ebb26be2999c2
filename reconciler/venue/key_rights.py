"""What a key may do at its venue, where the venue tells: the daemon needs keys that only read."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

WordsOf = Callable[[Any, str], frozenset[str] | None]
"""The venue's words for the rights of our key (the second argument), out of its answer; None where
the answer says nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsCall:
    """How a venue is asked for the rights of a key, and what its words mean."""

    method: str
    """ccxt's implicit call: a question, whatever its verb."""
    words: WordsOf
    reads: str
    """A regular expression of words that let it read."""
    trades: str
    withdraws: str
    moves: str = ""
    """Words that let it move money between the account's own parts."""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """What a key may do besides reading, in the venue's own words."""

    trades: tuple[str, ...] = ()
    withdraws: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Words that are not known here: they may be any right."""

    @property
    def only_reads(self) -> bool:
        """It can change nothing."""
        return not (self.trades or self.withdraws or self.moves or self.others)


def rights_in(call: RightsCall, answer: Any, key: str) -> KeyRights | None:
    """What an answer says of the rights of `key`; None where it does not."""
    words = call.words(answer, key)
    if words is None:
        return None
    rest = [word for word in sorted(words) if not _fits(call.reads, word)]
    meanings = {"withdraws": call.withdraws, "trades": call.trades, "moves": call.moves}
    sorted_out: dict[str, list[str]] = {name: [] for name in (*meanings, "others")}
    for word in rest:
        meaning = next((name for name, form in meanings.items() if _fits(form, word)), "others")
        sorted_out[meaning].append(word)
    return KeyRights(**{name: tuple(found) for name, found in sorted_out.items()})


def _fits(form: str, word: str) -> bool:
    return bool(form) and re.fullmatch(form, word, re.IGNORECASE) is not None


# How venues say it.


def flags(*at: str, named: str) -> WordsOf:
    """An object of booleans: those that are true, and whose name matches."""

    def words(answer: Any, _key: str) -> frozenset[str] | None:
        found = _at(answer, at)
        if not isinstance(found, dict):
            return None
        told = {name: value for name, value in found.items() if re.fullmatch(named, name)}
        if not told or not all(isinstance(value, bool) for value in told.values()):
            return None
        return frozenset(name for name, value in told.items() if value)

    return words


def listed(*at: str) -> WordsOf:
    """A list of words, or one text with commas or blanks between them."""

    def words(answer: Any, _key: str) -> frozenset[str] | None:
        return _listed(_at(answer, at))

    return words


def of_our_row(*at: str, key_at: str, words_of: Callable[[Any], frozenset[str] | None]) -> WordsOf:
    """A list of all keys of the account: the row of ours."""

    def words(answer: Any, key: str) -> frozenset[str] | None:
        rows = _at(answer, at)
        if not isinstance(rows, list):
            return None
        ours = [row for row in rows if isinstance(row, dict) and row.get(key_at) == key]
        return words_of(ours[0]) if len(ours) == 1 else None

    return words


def _listed(found: Any) -> frozenset[str] | None:
    if isinstance(found, str):
        return frozenset(word for word in re.split(r"[,\s]+", found) if word) or None
    if isinstance(found, list) and all(isinstance(word, str) for word in found):
        return frozenset(found)
    return None


def _at(answer: Any, keys: Iterable[str]) -> Any:
    """As `found_at`, with the first row of a list where one is on the way."""
    for key in keys:
        row = answer[0] if isinstance(answer, list) and answer else answer
        answer = row.get(key) if isinstance(row, dict) else None
    return answer
