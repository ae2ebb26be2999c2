"""The tables of a database as its catalogue describes them: nothing of their rows is read."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.store.connecting import Connection

MOST_COLUMNS = 20_000
"""Of all tables together: a database of thousands of tenants' schemas is asked for `--schema`."""


def literal(text: str) -> str:
    """A text in SQL, whatever `standard_conforming_strings` says."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'" if "\\" not in text else " E'" + quoted.replace("\\", "\\\\") + "'"


class Kind(StrEnum):
    """What can be done with the values of a column."""

    TEXT = "text"
    ENUM = "enum"
    UUID = "uuid"
    WHOLE = "whole number"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "timestamptz"
    NAIVE = "timestamp"
    DATE = "date"
    JSON = "json"
    OTHER = "other"


_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "citext"), Kind.TEXT),
    "uuid": Kind.UUID,
    **dict.fromkeys(("int2", "int4", "int8"), Kind.WHOLE),
    **dict.fromkeys(("numeric", "float4", "float8", "money"), Kind.NUMBER),
    "bool": Kind.BOOLEAN,
    "timestamptz": Kind.INSTANT,
    "timestamp": Kind.NAIVE,
    "date": Kind.DATE,
    **dict.fromkeys(("json", "jsonb"), Kind.JSON),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A column that names a row of another table."""

    schema: str
    table: str
    column: str
    declared: bool
    """A foreign key; else it was concluded from names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Where the word stands that a number means: in a row of another table."""

    column: str
    """In our table, quoted; the others too."""
    table: str
    key: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, or the word that stands for it in another table."""

    name: str
    quoted: str
    type: str
    """As it is written in a cast, an enum's with its schema."""
    kind: Kind
    nullable: bool
    default: str | None = None
    is_generated: bool = False
    labels: tuple[str, ...] = ()
    """Of an enum, in its order; or the only words that a CHECK allows."""
    longest: int | None = None
    """Letters that fit; None: any."""
    is_padded: bool = False
    """`char(n)`."""
    comment: str | None = None
    link: Link | None = None
    lookup: Lookup | None = None
    reads: str | None = None
    """SQL of a value that is reckoned, with `{row}` for the row's alias."""
    writes: str | None = None
    """SQL of what is stored for such a `{value}` in this `{row}`; None: the value itself."""

    def of(self, row: str) -> str:
        """The value in SQL, of the row with this alias."""
        if (at := self.lookup) is None:
            return self.stored(row)
        return f"(select w.{at.said} from {at.table} w where w.{at.key} = {row}.{at.column})"  # noqa: S608 - quoted by the server

    def stored(self, row: str) -> str:
        """What stands in the row itself: where the word is looked up, what it is looked up by."""
        if self.reads is not None:
            return self.reads.replace("{row}", row)
        return f"{row}.{self.lookup.column if self.lookup else self.quoted}"

    def written(self, value: str, row: str) -> str:
        """What an UPDATE sets for this value in SQL, in the row with this alias."""
        stored = (self.writes or "{value}").replace("{value}", value).replace("{row}", row)
        return f"({stored})::{self.type}"

    def text(self, row: str) -> str:
        """The same as text, without the blanks that `char(n)` adds."""
        return (
            self.of(row)
            if self.kind is Kind.TEXT and not self.is_padded
            else f"{self.of(row)}::text"
        )

    def is_one_of(self, row: str, words: Iterable[str]) -> str:
        """A condition that an index on the column can serve."""
        listed = ", ".join(map(literal, words))
        if (at := self.lookup) is None:
            return f"{self.stored(row)} in ({listed})"
        meant = f"select w.{at.key} from {at.table} w where w.{at.said} in ({listed})"  # noqa: S608 - quoted by the server and by us
        return f"{row}.{at.column} in ({meant})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table, with what our role may read of it."""

    schema: str
    name: str
    quoted: str
    """With its schema."""
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """Names of the columns of the primary key, or of one unique index without nulls."""
    rows: int
    """As the last ANALYZE found; -1: never analysed."""
    is_view: bool
    may_read: bool

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((c for c in self.columns if c.name == name), None)


_COLUMNS = """
select n.nspname as schema, c.relname as "table",
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) as quoted_table,
       c.reltuples::bigint as rows, c.relkind in ('v', 'm', 'f') as is_view,
       has_schema_privilege(n.oid, 'usage')
         and has_any_column_privilege(c.oid, 'select') as may_read,
       a.attname as name, quote_ident(a.attname) as quoted,
       format_type(b.oid, null) as type, b.typname as base, b.typtype as typtype,
       not a.attnotnull as nullable, a.attgenerated <> '' as is_generated,
       case when b.typname in ('varchar', 'bpchar') and a.atttypmod > 4 then a.atttypmod - 4 end
         as longest, b.typname = 'bpchar' as is_padded,
       coalesce(pg_get_expr(d.adbin, d.adrelid), case when a.attidentity <> '' then 'identity' end)
         as "default",
       col_description(c.oid, a.attnum) as comment,
       array(select e.enumlabel::text from pg_enum e where e.enumtypid = b.oid
             order by e.enumsortorder) as labels,
       array(select pg_get_constraintdef(k.oid) from pg_constraint k
             where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]) as checks
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_type t on t.oid = a.atttypid
join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
  and a.attnum > 0 and not a.attisdropped
  and n.nspname not in ('pg_catalog', 'information_schema', 'reconciler')
  and n.nspname not like 'pg\\_%' and ($1::text is null or n.nspname = $1)
  and (has_column_privilege(c.oid, a.attnum, 'select')
       or not has_any_column_privilege(c.oid, 'select'))
order by n.nspname, c.relname, a.attnum
limit $2
"""
_KEYS = """
select n.nspname as schema, c.relname as "table", i.indisprimary as is_primary,
       array(select a.attname::text from unnest(i.indkey) with ordinality as k(n, at)
             join pg_attribute a on a.attrelid = c.oid and a.attnum = k.n
             where a.attnotnull order by k.at) as columns,
       i.indnatts as width
from pg_index i
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
where i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
  and n.nspname not like 'pg\\_%' and ($1::text is null or n.nspname = $1)
order by i.indisprimary desc, i.indnatts
"""
_LINKS = """
select n.nspname as schema, c.relname as "table", a.attname as column,
       fn.nspname as to_schema, f.relname as to_table, fa.attname as to_column
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_class f on f.oid = k.confrelid
join pg_namespace fn on fn.oid = f.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1]
join pg_attribute fa on fa.attrelid = f.oid and fa.attnum = k.confkey[1]
where k.contype = 'f' and cardinality(k.conkey) = 1 and ($1::text is null or n.nspname = $1)
"""


async def read_tables(connection: Connection, schema: str | None) -> tuple[Table, ...]:
    """Every table of the users' schemas, or of one."""
    links = {
        (r["schema"], r["table"], r["column"]): Link(
            schema=r["to_schema"], table=r["to_table"], column=r["to_column"], declared=True
        )
        for r in await connection.fetch(_LINKS, schema)
    }
    keys: dict[tuple[str, str], tuple[str, ...]] = {}
    for r in await connection.fetch(_KEYS, schema):
        if len(r["columns"]) == r["width"]:
            keys.setdefault((r["schema"], r["table"]), tuple(r["columns"]))
    found: dict[tuple[str, str], list[Mapping[str, object]]] = {}
    for r in await connection.fetch(_COLUMNS, schema, MOST_COLUMNS):
        found.setdefault((r["schema"], r["table"]), []).append(dict(r))
    return tuple(
        _table(rows, columns=_columns(rows, links), key=keys.get(place, ()))
        for place, rows in found.items()
    )


def _table(
    rows: list[Mapping[str, object]], *, columns: Iterable[Column], key: tuple[str, ...]
) -> Table:
    first = rows[0]
    return Table(
        schema=str(first["schema"]),
        name=str(first["table"]),
        quoted=str(first["quoted_table"]),
        columns=tuple(columns),
        key=key,
        rows=int(str(first["rows"])),
        is_view=bool(first["is_view"]),
        may_read=bool(first["may_read"]),
    )


def _columns(
    rows: Iterable[Mapping[str, object]], links: Mapping[tuple[str, str, str], Link]
) -> Iterable[Column]:
    for r in rows:
        base, labels, checks = str(r["base"]), r["labels"], r["checks"]
        assert isinstance(labels, list)
        assert isinstance(checks, list)
        is_enum = r["typtype"] in ("e", b"e")
        yield Column(
            name=str(r["name"]),
            quoted=str(r["quoted"]),
            type="bpchar" if r["is_padded"] else str(r["type"]),  # `character` alone is one letter
            kind=Kind.ENUM if is_enum else _KINDS.get(base, Kind.OTHER),
            nullable=bool(r["nullable"]),
            default=None if r["default"] is None else str(r["default"]),
            is_generated=bool(r["is_generated"]),
            labels=tuple(labels) or _allowed(checks),
            longest=None if r["longest"] is None else int(str(r["longest"])),
            is_padded=bool(r["is_padded"]),
            comment=None if r["comment"] is None else str(r["comment"]),
            link=links.get((str(r["schema"]), str(r["table"]), str(r["name"]))),
        )


def _allowed(checks: Iterable[str]) -> tuple[str, ...]:
    """The words of `CHECK (status IN ('a', 'b'))`; other checks say nothing here."""
    for check in checks:
        bare = re.sub(r"'[^']*'", "''", check)
        if "= ANY (" in bare and not re.search(r"[<>~]|\bNOT\b|\(\(?lower\(|upper\(", bare):
            return tuple(dict.fromkeys(re.findall(r"'([^']*)'", check)))
    return ()
