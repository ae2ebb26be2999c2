"""Whose row it is: the profile of an order or a position."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.book.discovery.catalogue import Column, Table, literal
from reconciler.book.discovery.expressions import Notes, id_of
from reconciler.book.discovery.lookups import linked_table
from reconciler.book.discovery.matching import owner_columns
from reconciler.book.discovery.names import IDS, OWNERS, TEXTS
from reconciler.book.discovery.sampling import Sample, may_be_shown
from reconciler.book.discovery.tables import Owner

ROWS = {"orders": "o", "positions": "p"}
NOBODY = "not told"
"""The profile of rows whose own cannot be told: they stand against a ghost, and no profile is
blamed for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Whose rows these are, for each table, and what the profiles are called."""

    expressions: Mapping[str, str]
    columns: Mapping[str, Column]
    """Those that say it by themselves."""
    key: Column | None
    """Of the table of profiles; None: there is none."""
    ids: tuple[str, ...]
    """Where there is no such table."""


def ownership_of(
    linking: Mapping[str, Table],
    samples: Mapping[str, Sample],
    owner: Owner | None,
    owners: Sample,
    notes: Notes,
) -> Ownership:
    """From a table of profiles, from a column that names them, or one profile for all."""
    columns = dict(owner.columns) if owner is not None else _columns_alone(linking)
    key = _key(owner, samples, owners) if owner is not None else None
    found = {what: id_of(column, ROWS[what]) for what, column in columns.items()}
    for what, table in linking.items():
        if what not in found:
            around = _around(what, table, linking, columns)
            found[what] = around or _alone(what, table, key, owners, columns=columns, notes=notes)
    if key is not None:
        return Ownership(expressions=found, columns=columns, key=key, ids=())
    ids = {word for what, column in columns.items() for word in samples[what].of(column).words}
    if ids:
        notes.assumed.append(
            f"profiles are the values of {', '.join(sorted({c.name for c in columns.values()}))} "
            "seen so far: add each new one to profiles.select"
        )
    return Ownership(
        expressions=found, columns=columns, key=None, ids=tuple(sorted(ids)) or ("bot",)
    )


def _columns_alone(linking: Mapping[str, Table]) -> dict[str, Column]:
    """The same word in each table, without a table of its own."""
    ranked = {what: owner_columns(table, OWNERS) for what, table in linking.items()}
    for rank in range(len(OWNERS)):
        found = {
            what: next(c for r, c in columns if r == rank)
            for what, columns in ranked.items()
            if any(r == rank for r, _ in columns)
        }
        if found and len(found) == len([what for what, columns in ranked.items() if columns]):
            return found
    return {}


def _key(owner: Owner, samples: Mapping[str, Sample], owners: Sample) -> Column:
    """The column of the profiles whose values the rows name: mostly the key, sometimes a name."""
    named = {w for what, column in owner.columns.items() for w in samples[what].of(column).words}
    known = set(owners.of(owner.key).words)
    if (
        not named
        or named & known
        or any(c.link and c.link.declared for c in owner.columns.values())
    ):
        return owner.key
    for column in owner.table.columns:
        fits = column.kind in IDS | TEXTS and may_be_shown(column)
        if fits and named <= set(owners.of(column).words):
            return column
    return owner.key


def _around(
    what: str, table: Table, linking: Mapping[str, Table], columns: Mapping[str, Column]
) -> str | None:
    """Of an order by its position, or of a position by its order."""
    other = "positions" if what == "orders" else "orders"
    if other not in linking or other not in columns:
        return None
    target = linking[other]
    for column in table.columns:
        if column.link is not None and linked_table(column, [target]) is not None:
            key = target.column(column.link.column)
            if key is not None:
                return (
                    f"(select {id_of(columns[other], 'x')} from {target.quoted} x "  # noqa: S608 - quoted by the server
                    f"where {key.of('x')} = {column.of(ROWS[what])})"
                )
    return None


def _alone(
    what: str,
    table: Table,
    key: Column | None,
    owners: Sample,
    *,
    columns: Mapping[str, Column],
    notes: Notes,
) -> str:
    words: Sequence[str] = list(owners.of(key).words) if key is not None else []
    if key is None and not columns:
        return literal("bot")
    if len(words) == 1:
        notes.assumed.append(
            f"{table.quoted} names no profile: its rows are {words[0]}'s, the only one"
        )
        return literal(words[0])
    notes.untold.append(
        f"{table.quoted} names no profile: whose {what} these are cannot be told. Write it into "
        f"{what}.select as profile_id"
    )
    return literal(NOBODY)
