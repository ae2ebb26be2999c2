"""Sizes and prices in units of the bot's own: satoshis, cents, contracts of so many coins."""

import re
from collections.abc import Mapping
from dataclasses import replace

from reconciler.book.discovery.catalogue import Column, Kind, Table
from reconciler.book.discovery.expressions import Notes, number
from reconciler.book.discovery.matching import Match
from reconciler.book.discovery.names import plain, singular, word_set, words_of
from reconciler.book.discovery.sampling import Sample, Values

SIZES = ("qty", "filled", "remaining", "left", "entered", "gone")
PRICES = ("price", "avg_price")
PARTS: Mapping[str, int] = {
    "sat": 8,
    "satoshi": 8,
    "wei": 18,
    "gwei": 9,
    "nano": 9,
    "micro": 6,
    "milli": 3,
    "cent": 2,
}
"""Words after which a value counts parts, and how many digits of it those are."""
UNKNOWN_PARTS = word_set("raw scaled atomic minor fixed int")
CONTRACT_SIZE = (
    "contract_size",
    "ct_val",
    "contract_value",
    "contract_multiplier",
    "ct_mult",
    "multiplier",
    "lot_size",
)
_OF_MONEY = word_set("usd usdt usdc busd eur dollar quote notional money value cash")
_POWER = re.compile(r"(?:^|[^a-z0-9])(?:x?1?0?e|10\s*(?:\^|\*\*)\s*)-?(\d{1,2})(?![0-9])")
_ZEROS = re.compile(r"\b10{2,18}\b")
LARGE = 10**5
"""From this size on, a whole number may count parts."""


def in_units(
    matches: Mapping[str, Match], table: Table, sample: Sample, notes: Notes
) -> dict[str, Match]:
    """The same columns, read in units of the base coin and of the quote currency."""
    found = dict(matches)
    # Of the sizes of one table one word is enough.
    sizes = next((d for r in SIZES if r in found and (d := _digits(found[r].column))), 0)
    for role in (*SIZES, *PRICES):
        if role in found:
            column = found[role].column
            digits = _digits(column)
            if role in SIZES and column.kind is Kind.WHOLE:
                digits = digits or sizes
            if digits:
                notes.assumed.append(f"{column.name} counts parts: 10^{digits} make one")
                found[role] = replace(found[role], column=_scaled(column, digits))
            elif role in SIZES:
                _note_money(column, notes)
                _note_parts(column, sample.of(column), matches, notes)
    return _of_contracts(found, table, sample, notes)


def _digits(column: Column) -> int:
    """How many digits are behind the point; 0: it is no count of parts."""
    if column.kind not in (Kind.WHOLE, Kind.NUMBER, Kind.TEXT):
        return 0
    told = [PARTS[word] for word in words_of(column.name) if word in PARTS]
    told += [int(power) for power in _POWER.findall(plain(column.name).replace("_", " "))]
    comment = (column.comment or "").lower()
    if not told and comment:
        told += [int(power) for power in _POWER.findall(f" {comment}")]
        told += [PARTS[w] for w in map(singular, re.findall("[a-z]+", comment)) if w in PARTS]
        told += [len(zeros) - 1 for zeros in _ZEROS.findall(comment)]
    return told[0] if told and told[0] <= max(PARTS.values()) else 0


def _scaled(column: Column, digits: int) -> Column:
    one = 10**digits
    return replace(
        column,
        kind=Kind.NUMBER,
        reads=f"({number(column, '{row}')}::numeric / {one})",
        writes=f"({{value}}) * {one}",
    )


def _note_money(column: Column, notes: Notes) -> None:
    """A size that its comment calls an amount of money."""
    comment = column.comment or ""
    if {*map(singular, re.findall("[a-z]+", comment.lower()))} & _OF_MONEY:
        notes.untold.append(
            f"the comment on {column.name} says {comment[:80]!r}: it is read as units of the base "
            "coin. If it is money, divide it by the price in the statements"
        )


def _note_parts(column: Column, values: Values, matches: Mapping[str, Match], notes: Notes) -> None:
    """A whole number without a word of its unit may be one of satoshis."""
    price = matches.get("price")
    whole = column.kind is Kind.WHOLE and price is not None and price.column.kind is Kind.WHOLE
    largest = max(values.numbers(), default=0)
    large = column.kind is Kind.WHOLE and largest >= LARGE
    if whole or large or set(words_of(column.name)) & UNKNOWN_PARTS:
        notes.untold.append(
            f"{column.name} holds whole numbers (up to {largest}): read as units of the base coin. "
            "If it counts parts, such as satoshis, divide it in the statements"
        )


def _of_contracts(
    matches: dict[str, Match], table: Table, sample: Sample, notes: Notes
) -> dict[str, Match]:
    """Contracts times their size are base units, of all but inverse contracts."""
    quantity = matches.get("qty")
    if quantity is None:
        return matches
    name = quantity.column.name
    by_name = {plain(c.name): c for c in table.columns if c.kind in (Kind.WHOLE, Kind.NUMBER)}
    size = next((by_name[n] for n in CONTRACT_SIZE if n in by_name), None)
    are_contracts = bool({*words_of(name)} & {"contract", "lot"})
    if size is None and are_contracts:
        notes.untold.append(
            f"{name} of {table.quoted} is read as units of the base coin: where a contract is "
            "another size than 1, multiply by it in the statements"
        )
    if size is None:
        _note_swaps(quantity, table, sample, matches, notes)
        return matches
    if not are_contracts:
        notes.untold.append(
            f"{table.quoted} has {size.name}: {name} is read as units of the base coin. If it "
            f"counts contracts, multiply it by {size.quoted} in the statements"
        )
        return matches
    notes.assumed.append(
        f"{name} times {size.name} is the quantity; of inverse contracts (coin-margined) also "
        "divide by the entry price (docs/connect-your-bot.md)"
    )
    return matches | {
        role: replace(matches[role], column=_multiplied(matches[role].column, size))
        for role in SIZES
        if role in matches
    }


def _multiplied(column: Column, size: Column) -> Column:
    each = f"coalesce(nullif({{row}}.{size.quoted}::numeric, 0), 1)"
    one = f"({{value}}) / {each}"
    return replace(
        column,
        kind=Kind.NUMBER,
        reads=f"({number(column, '{row}')}::numeric * {each})",
        writes=(column.writes or "{value}").replace("{value}", one),
    )


def _note_swaps(
    quantity: Match, table: Table, sample: Sample, matches: Mapping[str, Match], notes: Notes
) -> None:
    """Venues such as OKX count orders for swaps in contracts, and bots keep what they say."""
    symbol = matches.get("symbol")
    words = sample.of(symbol.column).words if symbol is not None else {}
    if any(word.upper().endswith("-SWAP") for word in words):
        notes.untold.append(
            f"{quantity.column.name} of {table.quoted} is read as units of the base coin: OKX "
            "counts swaps in contracts. If your bot keeps those, multiply by the contract's size"
        )
