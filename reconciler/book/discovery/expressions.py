"""Columns as the contract wants them: numbers, times, sides and ids in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.book.discovery.catalogue import Column, Kind, literal
from reconciler.book.discovery.matching import BUYS, SELLS, Match, is_buy
from reconciler.book.discovery.names import word_set, words_of
from reconciler.book.discovery.sampling import Sample, Values

_POWERS = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3), (0, 1))
"""From this size on, an epoch counts so many in a second: our years are 1e9 s after 1970."""
OPEN_LONG = word_set("open_long close_short buy_to_open buy_to_close buy_to_cover cover")
OPEN_SHORT = word_set("open_short close_long sell_to_open sell_to_close sell_short")


@dataclass(slots=True, kw_only=True)
class Notes:
    """What is collected on the way: for the person who checks the proposal."""

    untold: list[str] = field(default_factory=list)
    """Could not be told, and must be looked at."""
    assumed: list[str] = field(default_factory=list)
    """Was concluded, and may be wrong."""


def number(column: Column, row: str) -> str:
    """A numeric value; text that is empty is no number."""
    value = column.of(row)
    if column.kind is Kind.TEXT:
        return f"nullif(trim({value}), '')::numeric"
    return f"{value}::numeric" if column.type == "money" else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """One column that says when."""

    column: Column
    zone: str
    """Of naive timestamps."""
    per_second: int = 0
    """Of an epoch; 0: it is none."""
    has_zone: bool = False
    """Of a time in text."""

    def read(self, row: str) -> str:
        """As timestamptz."""
        value = self.column.of(row)
        match self.column.kind:
            case Kind.INSTANT:
                return value
            case Kind.NAIVE:
                return f"{value} at time zone {literal(self.zone)}"
            case Kind.TEXT if self.has_zone:
                return f"nullif({value}, '')::timestamptz"
            case Kind.TEXT:
                return f"nullif({value}, '')::timestamp at time zone {literal(self.zone)}"
            case Kind.DATE:
                return f"{value}::timestamp at time zone {literal(self.zone)}"
            case _ if self.per_second > 1:
                return f"to_timestamp({value} / {self.per_second}.0)"
            case _:
                return f"to_timestamp({value})"

    def since(self, row: str) -> str:
        """Not before `$1`; an index on the column can serve it."""
        value = self.column.of(row)
        if self.column.kind is Kind.NAIVE:
            return f"{value} >= $1::timestamptz at time zone {literal(self.zone)}"
        if self.per_second:
            return f"{value} >= {self._epoch('$1::timestamptz')}"
        return f"{self.read(row)} >= $1::timestamptz"

    def now(self) -> str | None:
        """What to write; None: in text or whole days, which are left alone."""
        match self.column.kind:
            case _ if self.column.is_generated:
                return None
            case Kind.INSTANT:
                return "now()"
            case Kind.NAIVE:
                return f"now() at time zone {literal(self.zone)}"
            case Kind.WHOLE | Kind.NUMBER:
                return self._epoch("now()")
            case _:
                return None

    def _epoch(self, when: str) -> str:
        times = f" * {self.per_second}" if self.per_second > 1 else ""
        return f"(extract(epoch from {when}){times})::{self.column.type}"


def time_of(
    column: Column, values: Values, *, zone: str, notes: Notes, beside: Sequence[Values] = ()
) -> Time:
    """How this column counts time. `beside`: the other times of the table, where it is empty."""
    if column.kind is Kind.TEXT:
        return Time(column=column, zone=zone, has_zone=_have_zones(values))
    if column.kind not in (Kind.WHOLE, Kind.NUMBER):
        if column.kind is Kind.DATE:
            notes.untold.append(f"{column.name} is a date: ages are told to a day only")
        return Time(column=column, zone=zone)
    given = values.numbers() or [n for other in beside for n in other.numbers()]
    largest = max((abs(n) for n in given), default=None)
    if largest:
        return Time(
            column=column, zone=zone, per_second=next(p for least, p in _POWERS if largest >= least)
        )
    in_seconds = column.type != "bigint" and not {"ms", "millis"} & set(words_of(column.name))
    notes.untold.append(
        f"{column.name} holds no value yet: taken as an epoch in "
        f"{'seconds' if in_seconds else 'milliseconds'}"
    )
    return Time(column=column, zone=zone, per_second=1 if in_seconds else 1000)


def beside(matches: Mapping[str, Match], sample: Sample) -> list[Values]:
    """The values of a table's epochs."""
    return [
        sample.of(match.column)
        for role, match in matches.items()
        if role.endswith("_at") and match.column.kind in (Kind.WHOLE, Kind.NUMBER)
    ]


def _have_zones(values: Values) -> bool:
    tails = [word[10:] for word in values.words if word]
    return bool(tails) and all("Z" in tail or "+" in tail or "-" in tail for tail in tails)


def side_of(
    column: Column | None,
    values: Values,
    *,
    row: str,
    words: tuple[str, str],
    quantity: tuple[Column, Values],
    notes: Notes,
) -> str:
    """`words`: what the contract calls the two, as `("buy", "sell")`."""
    sign = _by_sign(number(quantity[0], row), words)
    if column is None:
        _note_sign(quantity, words, notes)
        return sign
    value = column.of(row)
    if column.kind is Kind.BOOLEAN:
        first, second = words if {"buy", "long"} & set(words_of(column.name)) else words[::-1]
        return (
            f"case when {value} then {literal(first)} when not {value} then {literal(second)} end"
        )
    if column.kind in (Kind.WHOLE, Kind.NUMBER) or (values.are_numbers() and values.words):
        return _of_codes(column, values, row=row, words=words, notes=notes)
    return _of_words(column, values, row=row, words=words, sign=sign, notes=notes)


def _by_sign(quantity: str, words: tuple[str, str]) -> str:
    return f"case when {quantity} < 0 then {literal(words[1])} else {literal(words[0])} end"


def _note_sign(quantity: tuple[Column, Values], words: tuple[str, str], notes: Notes) -> None:
    column, values = quantity
    said = f"no column says {words[0]} or {words[1]}: the sign of {column.name} does"
    if any(n < 0 for n in values.numbers()):
        notes.assumed.append(said)
    else:
        notes.untold.append(f"{said}, and no row seen is negative: every row is {words[0]} then")


def _of_codes(
    column: Column, values: Values, *, row: str, words: tuple[str, str], notes: Notes
) -> str:
    found = set(values.numbers())
    value = number(column, row)
    if (found <= {1, -1, 0} and -1 in found) or not found:
        first, second = map(literal, words)
        return f"case when {value} > 0 then {first} when {value} < 0 then {second} end"
    if found <= {1, 2}:
        notes.assumed.append(
            f"{column.name}: 1 is read as {words[0]} and 2 as {words[1]}, as FIX has it"
        )
        return f"case {value} when 1 then {literal(words[0])} when 2 then {literal(words[1])} end"
    shown = ", ".join(str(n) for n in sorted(found)[:5])
    notes.untold.append(
        f"{column.name} holds {shown}: which of them is {words[0]} cannot be told. Write it as "
        f"case {column.quoted} when … then '{words[0]}' when … then '{words[1]}' end"
    )
    return column.text(row)


def _of_words(
    column: Column,
    values: Values,
    *,
    row: str,
    words: tuple[str, str],
    sign: str,
    notes: Notes,
) -> str:
    found = {w.strip().lower() for w in (*values.words, *column.labels)}
    if found and found <= set(words):
        return column.of(row)
    first, second = set(BUYS), set(SELLS)
    if words[0] == "buy":
        first, second = first | OPEN_LONG, second | OPEN_SHORT
    for word in found - first - second:
        if (buys := is_buy(word)) is not None:
            (first if buys else second).add(word)
    signed = {"both", "net", "flat", "none", ""} & found
    strange = sorted(found - first - second - signed)
    if strange:
        notes.untold.append(
            f"{column.name} also holds {_listed(strange)}: neither {words[0]} nor {words[1]}; "
            "such rows cannot be read"
        )
    value = f"lower(trim({column.text(row)}))"
    rest = sign if signed else column.text(row)
    return (
        f"case when {value} in ({_listed(sorted(first))}) then {literal(words[0])} "
        f"when {value} in ({_listed(sorted(second))}) then {literal(words[1])} else {rest} end"
    )


def _listed(words: Sequence[str]) -> str:
    return ", ".join(map(literal, words))


def id_of(column: Column, row: str) -> str:
    """An id as text, or of a type that is read as text."""
    fits = column.kind in (Kind.TEXT, Kind.UUID, Kind.WHOLE) and not column.is_padded
    return column.of(row) if fits else f"{column.of(row)}::text"


def is_any_of(column: Column, row: str, ids: str) -> str:
    """Among the texts `ids`; an index on the column can serve it, and an id that is none of that
    type is just not found.
    """
    shapes = {
        "uuid": "^[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}$",
        "bigint": "^[0-9]{1,18}$",
        "integer": "^[0-9]{1,9}$",
        "smallint": "^[0-9]{1,4}$",
    }
    shape = shapes.get(column.type)
    if shape is not None:
        given = f"select x::{column.type} from unnest({ids}) x where x ~ '{shape}'"  # noqa: S608 - ours
        return f"{column.of(row)} = any(array({given}))"
    return f"{column.text(row)} = any({ids})"
