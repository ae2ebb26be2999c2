"""What is proposed: statements, what each column was told by, and what a person must look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.book.discovery.catalogue import Kind, Table
from reconciler.book.discovery.matching import Match, Sureness
from reconciler.book.discovery.words import OrderWords

NOT_OURS = "none"
"""In place of an UPDATE: these rows are not ours to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """One column of the contract."""

    name: str
    source: str
    """The column of the bot's; empty: a literal, or reckoned."""
    sureness: Sureness
    why: str

    @classmethod
    def of(cls, name: str, role: str, match: Match | None, table: Table) -> "Mapped":
        """From the match of this role."""
        if match is None:
            is_key = name == "id" and bool(table.key)
            return cls(
                name=name,
                source=", ".join(table.key) if is_key else "",
                sureness=Sureness.SURE if is_key else Sureness.UNSURE,
                why="the table's key" if is_key else "no column says it",
            )
        source = match.column.name
        reckoned = f"reckoned from {role}" if role != name else match.why
        return cls(name=name, source=source, sureness=match.sureness, why=reckoned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One table of the book."""

    what: str
    table: Table | None
    statements: Mapping[str, str]
    """By key, as `select`; empty: it could not be proposed."""
    mapped: tuple[Mapped, ...] = ()
    writes: tuple[str, ...] = ()
    """Columns that an UPDATE sets, quoted: what `enforce` needs a grant for."""
    words: OrderWords | None = None
    alternatives: tuple[str, ...] = field(default=())
    """Other tables that look like it."""


def key_of(table: Table, row: str) -> str:
    """The row's id; of several columns, joined."""
    columns = [c for name in table.key if (c := table.column(name)) is not None]
    if len(columns) != 1:
        return f"concat_ws(':', {', '.join(c.of(row) for c in columns)})"
    column = columns[0]
    if column.kind in (Kind.UUID, Kind.WHOLE):
        return column.of(row)
    return column.text(row)


def indented(items: Sequence[str]) -> str:
    """One a line, after the word they follow."""
    return ",\n    ".join(items)
