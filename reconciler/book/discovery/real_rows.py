"""Rows that are no real orders or positions: paper trades, dry runs, what was deleted."""

from collections.abc import Iterable, Mapping

from reconciler.book.discovery.catalogue import Column, Kind, Table
from reconciler.book.discovery.expressions import Notes
from reconciler.book.discovery.matching import DELETED, Match
from reconciler.book.discovery.names import TEXTS, plain, word_set, words_of
from reconciler.book.discovery.sampling import Sample

PRETENDED = word_set(
    "paper simulated simulation sim dry dryrun sandbox testnet demo backtest virtual fake"
)
_FLAG = PRETENDED | word_set("is run trade trading mode order position account test")
"""A flag of these words alone, one of them of the set above, says that a row is no real one."""
_OTHERS = word_set("test testing backtesting dry_run paper_trading")


def real_rows(
    table: Table, matches: Mapping[str, Match], sample: Sample, *, row: str, notes: Notes
) -> str:
    """` and …` for the statements: without what a flag says was never sent to a venue.

    Left to a person: modes in words, and rows marked as deleted, which the venue may still have.
    """
    taken = {match.column.name for match in matches.values()}
    conditions = []
    for column in table.columns:
        words = set(words_of(column.name))
        if words & DELETED:
            notes.untold.append(
                f"rows of {table.quoted} with {column.name} are read like any other: the venue may "
                "still have what they were about"
            )
        elif column.name in taken:
            continue
        elif _is_flag(column):
            conditions.append(f" and {column.of(row)} is not true")
            notes.assumed.append(f"rows of {table.quoted} that are {column.name} are left out")
        elif column.kind in TEXTS and (found := _pretended(column, sample)):
            notes.untold.append(
                f"{column.name} of {table.quoted} holds {', '.join(found)}: its rows are read as "
                f"real ones. If they are not, add: and {column.quoted} <> '{found[0]}'"
            )
    return "".join(conditions)


def real_owners(table: Table, key: Column, owner: Column, *, row: str, notes: Notes) -> str:
    """The same for what belongs to a profile that only pretends. `owner`: names its row."""
    flag = next((column for column in table.columns if _is_flag(column)), None)
    if flag is None:
        return ""
    notes.assumed.append(f"what belongs to rows of {table.quoted} that are {flag.name} is left out")
    return (
        f" and not exists (select from {table.quoted} w "
        f"where {key.text('w')} = {owner.text(row)} and {flag.of('w')})"
    )


def _is_flag(column: Column) -> bool:
    words = set(words_of(column.name))
    return column.kind is Kind.BOOLEAN and bool(words & PRETENDED) and words <= _FLAG


def _pretended(column: Column, sample: Sample) -> list[str]:
    words: Iterable[str] = dict.fromkeys((*sample.of(column).words, *column.labels))
    return [word for word in words if plain(word) in PRETENDED | _OTHERS]
