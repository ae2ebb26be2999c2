"""Views that somebody made on the bot's tables: they break or freeze the bot's own migrations.

A table that is renamed takes its views along, which then show the old copy for ever; one that a
view depends on cannot be dropped, and the bot does not start.
"""

from dataclasses import dataclass

from reconciler.book.inspection.asking import statements_of
from reconciler.book.preset import Preset
from reconciler.book.relations import mentions_of, relations_of
from reconciler.store.connecting import Connection

_VIEWS = """
select distinct format('%I.%I', n.nspname, v.relname) as view, v.relkind::text as kind,
       pg_get_userbyid(v.relowner)::text as owner
from pg_depend d
join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
join pg_class v on v.oid = w.ev_class and v.oid <> d.refobjid and v.relkind in ('v', 'm')
join pg_namespace n on n.oid = v.relnamespace
where d.refclassid = 'pg_class'::regclass and d.refobjid = $1::oid
order by 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """A view on a table of the book."""

    view: str
    owner: str
    tables: tuple[str, ...]
    is_materialized: bool
    is_read_by_us: bool
    """The book's own statements read it."""


async def dependents_of(connection: Connection, preset: Preset) -> list[Dependent]:
    """The views on the tables that the book's statements name, those that we read among them."""
    found: dict[str, Dependent] = {}
    for _, statement in statements_of(preset).values():
        mentions = mentions_of(statement)
        relations = await relations_of(connection, [*mentions.reads, *mentions.writes])
        ours = {relation.quoted for relation in relations.values()}
        for relation in relations.values():
            for row in await connection.fetch(_VIEWS, relation.oid):
                known = found.get(row["view"])
                tables = dict.fromkeys((*(known.tables if known else ()), relation.quoted))
                found[row["view"]] = Dependent(
                    view=row["view"],
                    owner=row["owner"],
                    tables=tuple(tables),
                    is_materialized=row["kind"] == "m",
                    is_read_by_us=row["view"] in ours or bool(known and known.is_read_by_us),
                )
    return list(found.values())
