"""Which column is which: by name and type, then by what its values look like."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.book.discovery.catalogue import Column, Kind, Table
from reconciler.book.discovery.names import (
    FOREIGN,
    IDS,
    OPTIONAL,
    TEXTS,
    Wanted,
    plain,
    word_set,
    words_of,
)
from reconciler.book.discovery.sampling import SECRET, Sample, Values
from reconciler.domain.orders import OrderState
from reconciler.rules.vocabulary import state_of

KNOWN_NAME, KNOWN_WORDS, KNOWN_VALUES = 200, 100, 50
DELETED = word_set("deleted removed archived")
MOST_SIDES, MOST_STATUSES = 20, 40
"""A column of more different words is no side, no status."""
SYMBOL = re.compile(
    r"[A-Z0-9]{1,15}[/:_-][A-Z0-9]{2,10}([/:_-][A-Z0-9-]{2,20})?|"
    r"[A-Z0-9]{2,12}(USDT|USDC|USD|BUSD|EUR|BTC|ETH|PERP|SWAP)"
)
BUYS = word_set("largo comprar buy b bid bot l long compra kauf achat buy_side")
SELLS = word_set("corto vender sell s ask sld short venta verkauf vente sell_side")
_VALUES_TELL = {"symbol": TEXTS, "side": TEXTS, "status": TEXTS}


class Sureness(StrEnum):
    """How a column was told."""

    SURE = "sure"
    LIKELY = "likely"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One column of the contract, and what stands for it in the bot's table."""

    column: Column
    score: int
    why: str

    @property
    def sureness(self) -> Sureness:
        """Name and values; a name alone; anything less."""
        if self.score >= KNOWN_NAME:
            return Sureness.SURE
        return Sureness.LIKELY if self.score >= KNOWN_WORDS else Sureness.UNSURE


def is_buy(word: str) -> bool | None:
    """Whether a side's word is one of buying, in any of its spellings; None: of neither."""
    plain_word = word.strip().lower().replace("-", "_").replace(" ", "_")
    for found in (plain_word, plain_word.split("_")[0]):
        if found in BUYS:
            return True
        if found in SELLS:
            return False
    return None


def match_columns(
    table: Table, wanted: Mapping[str, Wanted], sample: Sample, *, taken: Iterable[str] = ()
) -> dict[str, Match]:
    """The likeliest column of each; no column stands for two."""
    free = [c for c in table.columns if c.name not in set(taken) and not SECRET.search(c.name)]
    scored = [
        (match.score, role, match)
        for role, want in wanted.items()
        for column in free
        if (match := _match(role, want, column, table, sample)) is not None
    ]
    found: dict[str, Match] = {}
    used: set[str] = set()
    for _, role, match in sorted(scored, key=lambda s: (s[1] in OPTIONAL, -s[0])):
        if role not in found and match.column.name not in used:
            found[role] = match
            used.add(match.column.name)
    times = [c for c in free if c.kind in (Kind.INSTANT, Kind.NAIVE) and c.name not in used]
    times = [c for c in times if not {*words_of(c.name)} & DELETED]
    if "created_at" in wanted and "created_at" not in found and len(times) == 1:
        found["created_at"] = Match(column=times[0], score=KNOWN_VALUES, why="the only time left")
    return found


def _match(role: str, want: Wanted, column: Column, table: Table, sample: Sample) -> Match | None:
    values = sample.of(column)
    by_name = _score_of_name(role, want, column, table)
    if column.kind not in want.kinds or not _may_be(role, column, values):
        return None
    told = _values_tell(role, column, values)
    if by_name is None:
        if told and column.kind in _VALUES_TELL[role]:
            return Match(column=column, score=KNOWN_VALUES, why="by its values")
        return None
    if told is False:
        return Match(column=column, score=by_name // 4, why="by its name; its values say otherwise")
    said = "by its name and values" if told else "by its name"
    return Match(column=column, score=by_name + (60 if told else 0), why=said)


def _score_of_name(role: str, want: Wanted, column: Column, table: Table) -> int | None:
    if role == "venue_order_id" and not _may_be_venues(column, table):
        return None
    name = plain(column.name)
    for shortened in (name, _without_table(name, table)):
        if shortened in want.names and not _is_foreign(role, column, table):
            rank = want.names.index(shortened)
            return max(KNOWN_NAME + 100 - 2 * rank - (0 if shortened == name else 20), KNOWN_WORDS)
    if want.pattern is not None and _names_the_venues_order(want.pattern, name):
        return KNOWN_NAME
    words = frozenset(words_of(column.name))
    if want.words and all(words & group for group in want.words) and not words & want.never:
        return KNOWN_WORDS + max(0, 30 - 5 * len(words))
    return None


def _without_table(name: str, table: Table) -> str:
    """`order_status` of `trading_order` is `status`."""
    for word in words_of(table.name):
        if name.startswith(f"{word}_"):
            return name.removeprefix(f"{word}_")
    return name


def _is_foreign(role: str, column: Column, table: Table) -> bool:
    """A key of another table, where a value of this one is wanted."""
    own_key = table.key == (column.name,)
    return role.endswith("order_id") and (column.link is not None or own_key)


def _may_be_venues(column: Column, table: Table) -> bool:
    """No key of this table or another; a whole number only where it is one of an order."""
    if column.link is not None or table.key == (column.name,):
        return False
    return column.kind is not Kind.WHOLE or bool({*words_of(column.name)} & _OF_AN_ORDER)


def _names_the_venues_order(pattern: str, name: str) -> bool:
    """`bybit_order_id`, and `order_id` where it is text and not the row's own number."""
    if name == "order_id":
        return True
    found = re.fullmatch(pattern, name)
    return found is not None and not set((found[1] or found[2]).split("_")) & FOREIGN


_OF_AN_ORDER = word_set("order ord oid ref ticket number no")


def _may_be(role: str, column: Column, values: Values) -> bool:
    """Text that is to be a number or a time must read as one; a time in numbers is an epoch."""
    if role in ("symbol", "side", "status") or column.kind in (Kind.INSTANT, Kind.NAIVE):
        return True
    if role.endswith("_at"):
        if column.kind is Kind.TEXT:
            # No end yet is an empty text.
            times = [word for word in values.words if word]
            known = bool(times) or role == "closed_at"
            return known and all(re.match(r"\d{4}-\d\d-\d\d", word) for word in times)
        if column.kind in (Kind.WHOLE, Kind.NUMBER):
            return all(n == 0 or n > 10**8 for n in values.numbers())
        return True
    is_text_for_number = column.kind is Kind.TEXT and role in _NUMERIC_ROLES
    return values.are_numbers() if is_text_for_number else True


_NUMERIC_ROLES = word_set("qty filled remaining price avg_price")


def _values_tell(role: str, column: Column, values: Values) -> bool | None:
    """Whether the values fit; None: they say nothing."""
    words = [*values.words, *(column.labels if column.kind is Kind.ENUM else ())]
    if role not in _VALUES_TELL or not words or column.kind not in TEXTS:
        return None
    if role == "symbol":
        return sum(bool(SYMBOL.fullmatch(w.upper())) for w in words) * 2 > len(words) or None
    if role == "side":
        sides = sum(is_buy(w) is not None for w in words)
        return sides * 2 > len(words) if len(words) < MOST_SIDES else False
    known = sum(state_of(w) is not OrderState.UNMAPPED for w in words)
    return (known * 2 > len(words)) or None if len(words) < MOST_STATUSES else False


def owner_columns(table: Table, owners: tuple[str, ...]) -> list[tuple[int, Column]]:
    """Columns that may say whose row it is, the likeliest first, with the rank of their word."""
    found = []
    for column in table.columns:
        words = set(words_of(column.name)) - {"id", "uuid", "name", "ref", "key", "code", "slug"}
        ranks = [owners.index(w) for w in words if w in owners]
        fits = column.kind in IDS | TEXTS and not SECRET.search(column.name)
        if (
            ranks
            and fits
            and table.key != (column.name,)
            and words - {"order", "exchange"}
            <= {*owners, *words_of(table.name), "trading", "trade", "config", "parent"}
        ):
            found.append((min(ranks), column))
        elif column.link is not None and set(words_of(column.link.table)) & set(owners) and fits:
            found.append(
                (min(owners.index(w) for w in words_of(column.link.table) if w in owners), column)
            )
    return sorted(found, key=lambda f: (f[0], f[1].link is None))
