"""Which tables hold the orders, the positions and the profiles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.book.discovery.catalogue import Column, Table
from reconciler.book.discovery.held import WHAT_IS_HELD
from reconciler.book.discovery.lookups import linked_table
from reconciler.book.discovery.matching import Match, Sureness, match_columns, owner_columns
from reconciler.book.discovery.names import (
    ASIDE,
    NOW,
    ORDERS,
    OWNERS,
    POSITIONS,
    PROFILES,
    TABLES,
    Wanted,
    words_of,
)
from reconciler.book.discovery.sampling import Sample

NO_SAMPLE = Sample(columns={})
WANTED: Mapping[str, Mapping[str, Wanted]] = {"orders": ORDERS, "positions": POSITIONS}
NAMED = {**TABLES, "positions": TABLES["positions"] - {"trade", "deal"}}
"""Of these, a table is looked at though it lacks something; `trades` are fills as often."""
MUST: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "orders": (
        ("symbol",),
        ("qty",),
        ("side", "status", "is_open"),
        ("venue_order_id", "client_order_id", "status", "is_open"),
    ),
    "positions": (
        ("symbol",),
        WHAT_IS_HELD,
        ("side", "status", "is_open", "closed_at", "updated_at"),
    ),
}
"""At least one column of each of these, else a table is not taken for such a one."""
SIZES_APART = frozenset({"left", "entered", "gone", "filled"})
"""Orders have them more often than positions."""
WORTH = 25
"""Of each column that fits; a table's name is worth two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A table that may hold these rows."""

    what: str
    table: Table
    score: int
    named: bool
    """Its name says so."""
    lacks: tuple[str, ...]
    """What it must have and does not."""


def rank_tables(
    what: str, tables: Iterable[Table], samples: Mapping[str, Sample] | None = None
) -> list[Candidate]:
    """Tables that may hold orders (or positions), the likeliest first; those that lack something
    are last. `samples`: by the table's quoted name, where they were taken.
    """
    found = []
    for table in tables:
        seen = (samples or {}).get(table.quoted, NO_SAMPLE)
        matches = match_columns(table, WANTED[what], seen)
        # A table called positions may be nothing but symbols and sizes.
        wanted = MUST[what][:2] if words_of(table.name)[-1:] == ("position",) else MUST[what]
        lacks = tuple(
            " or ".join(any_of) for any_of in wanted if not any(r in matches for r in any_of)
        )
        named = bool(set(words_of(table.name)) & NAMED[what])
        score = _score(what, table, matches, named=named)
        if named or not (lacks or _unlike(what, table)):
            found.append(Candidate(what=what, table=table, score=score, named=named, lacks=lacks))
    return sorted(found, key=lambda c: (bool(c.lacks), -c.score, -c.table.rows))


def _score(what: str, table: Table, matches: Mapping[str, Match], *, named: bool) -> int:
    words = words_of(table.name)
    fitting = [m for role, m in matches.items() if what == "orders" or role not in SIZES_APART]
    score = sum(WORTH * (2 if m.sureness is Sureness.SURE else 1) for m in fitting)
    score += 4 * WORTH if named else 0
    score += 2 * WORTH if words and words[-1] in TABLES[what] else 0
    score += 2 * WORTH if what == "positions" and words[-1:] == ("position",) else 0
    score -= 6 * WORTH * len(set(words) & ASIDE)
    score += 2 * WORTH if set(words) & NOW else 0
    score -= 4 * WORTH if table.is_view else 0
    score -= 4 * WORTH if not table.key else 0
    return score - (_unlike(what, table) * WORTH)


def _unlike(what: str, table: Table) -> int:
    """Orders have ids at a venue; positions have none of one order, and end."""
    names = {word for column in table.columns for word in words_of(column.name)}
    if what == "orders" and words_of(table.name)[-1:] == ("position",):
        return 8
    if what == "orders":
        both = {"entry", "exit"} <= names or {"opened", "closed"} <= names
        return 8 if both or "liquidation" in names else 0
    one_order = match_columns(table, {"id": ORDERS["venue_order_id"]}, NO_SAMPLE)
    fills = {"fee", "maker", "taker"} & names and not {"closed", "exit", "entry", "open"} & names
    return (6 if one_order else 0) + (10 if fills else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose rows these are: a table of profiles, and the columns that name its rows."""

    table: Table
    key: Column
    columns: Mapping[str, Column]
    """By `orders` and `positions`."""


def find_owner(linking: Mapping[str, Table], tables: Sequence[Table]) -> Owner | None:
    """The table of profiles that orders and positions link to; both, where one does."""
    found: dict[tuple[str, str], dict[str, Column]] = {}
    ranks: dict[tuple[str, str], int] = {}
    for what, table in linking.items():
        for rank, column in owner_columns(table, OWNERS):
            other = linked_table(column, tables) or _named_like(column, table, tables)
            if other is None or other in linking.values() or not other.key:
                continue
            place = (other.schema, other.name)
            found.setdefault(place, {}).setdefault(what, column)
            ranks[place] = min(rank, ranks.get(place, rank))
    if not found:
        return None
    best = max(found, key=lambda place: (len(found[place]), _acts(place, tables), -ranks[place]))
    table = next(t for t in tables if (t.schema, t.name) == best)
    column = next(iter(found[best].values()))
    wanted = column.link.column if column.link is not None else table.key[0]
    key = table.column(wanted)
    assert key is not None
    return Owner(table=table, key=key, columns=found[best])


def _acts(place: tuple[str, str], tables: Sequence[Table]) -> bool:
    """It can be told to enter no more trades."""
    table = next(t for t in tables if (t.schema, t.name) == place)
    matches = match_columns(table, PROFILES, NO_SAMPLE)
    return bool({"status", "is_active", "is_paused"} & set(matches))


def _named_like(column: Column, table: Table, tables: Sequence[Table]) -> Table | None:
    """`bot` or `bot_name` where there is a table of bots: its names are looked at later."""
    words = set(words_of(column.name)) & set(OWNERS)
    named = [
        other
        for other in tables
        if words & set(words_of(other.name)[-1:]) and other is not table and other.key
    ]
    return min(named, key=lambda t: (t.schema != table.schema, len(t.name)), default=None)
