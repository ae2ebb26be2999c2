"""Which tables and columns a statement names: read from its text, and looked up in the catalogue.

The server tells only the first table that a role may not use. Where it refuses, this finds the
others; whether it refuses is always the server's own word.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.store.connecting import Connection

_NOT_CODE = re.compile(
    r"--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|[eE]?'(?:[^'\\]|''|\\.)*'", re.DOTALL
)
_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_CHAIN = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_READS = re.compile(rf"\b(?:from|join|using|only|table)\s+(?:only\s+)?({_CHAIN})", re.IGNORECASE)
_MORE = re.compile(rf"\s*(?:\bas\b\s+)?(?:{_NAME})?\s*,\s*({_CHAIN})", re.IGNORECASE)
_WRITES = re.compile(
    rf"\b(update|insert\s+into|delete\s+from)\s+(?:only\s+)?({_CHAIN})", re.IGNORECASE
)
_SET = re.compile(r"\bset\b(.*?)(?=\bfrom\b|\bwhere\b|\breturning\b|$)", re.IGNORECASE | re.DOTALL)
_ASSIGNED = re.compile(rf"({_NAME})\s*=")
_TUPLE = re.compile(r"\(([^()]*)\)\s*=")
_STAR = re.compile(r"(?:^|[,.]|\bselect\b|\breturning\b|\bdistinct\b)\s*\*\s*(?=,|$|\bfrom\b|\))",
                   re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """What the text of one statement names."""

    reads: tuple[tuple[str, ...], ...]
    """Tables that it reads, as written: `("bot", "orders")`."""
    writes: Mapping[tuple[str, ...], tuple[str, ...]]
    """Tables that it changes, and how: of `update`, `insert` and `delete`."""
    words: frozenset[str]
    """Every name in it: columns are among them."""
    sets: frozenset[str]
    """Names that it assigns a value."""
    takes_all: bool
    """A `*` stands for columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table, view or foreign table that a statement names."""

    oid: int
    schema: str
    name: str
    kind: str
    """As in `pg_class.relkind`."""
    owner: str
    usable: bool
    """Our role has USAGE on the schema."""
    rows_filtered: bool
    """Row-level security is applied to our role."""
    quoted: str
    """As it is written in SQL."""
    quoted_schema: str


def mentions_of(statement: str) -> Mentions:
    """What a statement names."""
    code = _NOT_CODE.sub(" '' ", statement)
    writes: dict[tuple[str, ...], tuple[str, ...]] = {}
    for found in _WRITES.finditer(code):
        table, how = _parts(found[2]), found[1].split()[0].lower()
        writes[table] = tuple(dict.fromkeys((*writes.get(table, ()), how)))
    sets: set[str] = set()
    for clause in _SET.findall(code):
        sets.update(_plain(name) for name in _ASSIGNED.findall(clause))
        for names in _TUPLE.findall(clause):
            sets.update(_plain(name) for name in re.findall(_NAME, names))
    return Mentions(
        reads=tuple(dict.fromkeys(_reads(code))),
        writes=writes,
        words=frozenset(_plain(name) for name in re.findall(_NAME, code)),
        sets=frozenset(sets),
        takes_all=_STAR.search(code) is not None,
    )


def _reads(code: str) -> Iterator[tuple[str, ...]]:
    for found in _READS.finditer(code):
        yield _parts(found[1])
        end = found.end()
        while more := _MORE.match(code, end):
            yield _parts(more[1])
            end = more.end()


def _parts(chain: str) -> tuple[str, ...]:
    return tuple(_plain(name) for name in re.findall(_NAME, chain))


def _plain(name: str) -> str:
    """A name as the catalogue has it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


_FIND = """
with path as (
  select case trim(both ' "' from part) when '$user' then current_user::text
         else trim(both ' "' from part) end as schema, place
  from unnest(string_to_array(current_setting('search_path'), ',')) with ordinality p(part, place)
)
select distinct on (w.place) w.place::int as place, c.oid::int8 as oid, n.nspname::text as schema,
       c.relname::text as name, c.relkind::text as kind, pg_get_userbyid(c.relowner)::text as owner,
       has_schema_privilege(n.oid, 'USAGE') as usable, row_security_active(c.oid) as rows_filtered,
       format('%I.%I', n.nspname, c.relname) as quoted,
       quote_ident(n.nspname) as quoted_schema
from unnest($1::text[], $2::text[]) with ordinality w(schema, name, place)
join pg_class c on c.relname = w.name and c.relkind in ('r', 'p', 'v', 'm', 'f')
join pg_namespace n on n.oid = c.relnamespace
left join path on path.schema = n.nspname
where n.nspname = w.schema or (w.schema = '' and path.place is not null)
order by w.place, path.place
"""
"""Found by the catalogue alone: `to_regclass` refuses where the schema is not ours to use."""


async def relations_of(
    connection: Connection, names: Sequence[tuple[str, ...]]
) -> dict[tuple[str, ...], Relation]:
    """Those of `names` that are tables or views; an alias or a function is none."""
    wanted = [name for name in names if name]
    rows = await connection.fetch(
        _FIND, [name[-2] if len(name) > 1 else "" for name in wanted], [n[-1] for n in wanted]
    )
    return {
        wanted[row["place"] - 1]: Relation(**{k: v for k, v in row.items() if k != "place"})
        for row in rows
    }
