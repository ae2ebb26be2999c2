"""One look at a database: which preset fits, or which statements would, and what they read."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import asyncpg

from reconciler.book.discovery.catalogue import Column, Kind, Table, read_tables
from reconciler.book.discovery.expressions import Notes
from reconciler.book.discovery.held import with_what_is_held
from reconciler.book.discovery.json_keys import with_json_keys
from reconciler.book.discovery.lookups import with_links, with_lookups
from reconciler.book.discovery.matching import (
    KNOWN_NAME,
    KNOWN_WORDS,
    Match,
    match_columns,
)
from reconciler.book.discovery.names import ORDERS, POSITIONS, PROFILES
from reconciler.book.discovery.orders import propose_orders
from reconciler.book.discovery.owners import ROWS, ownership_of
from reconciler.book.discovery.positions import propose_positions
from reconciler.book.discovery.profiles import Accounts, literal_profiles, propose_profiles
from reconciler.book.discovery.proposal import Part
from reconciler.book.discovery.real_rows import real_owners, real_rows
from reconciler.book.discovery.reckoned import with_flags, with_pair
from reconciler.book.discovery.sampling import Sample, sample
from reconciler.book.discovery.series import note_series
from reconciler.book.discovery.tables import Candidate, Owner, find_owner, rank_tables
from reconciler.book.discovery.units import in_units
from reconciler.book.discovery.zones import zone_of
from reconciler.store.connecting import Connection

DEADLINE = timedelta(seconds=90)
"""Of the whole look; each statement has five seconds, and gives up after one on a lock."""
LIMITS = (
    "set local statement_timeout = '5s'",
    "set local lock_timeout = '1s'",
    "set local idle_in_transaction_session_timeout = '30s'",
)
MOST_SAMPLED = 30
"""Tables that are sampled where names alone do not tell orders and positions."""
MOST_DOCUMENTS = 5
"""Tables whose json is looked into, where no column says what a row is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Statements for tables that no preset knows."""

    parts: tuple[Part, ...]
    untold: tuple[str, ...]
    assumed: tuple[str, ...]


@contextlib.asynccontextmanager
async def looking(connection: Connection) -> AsyncIterator[None]:
    """A transaction that cannot write, with limits of its own: nothing outlives it, so that a
    pooler's connection is left as it was.
    """
    async with (
        asyncio.timeout(DEADLINE.total_seconds()),
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        for limit in LIMITS:
            await connection.execute(limit)
        yield


async def tables_of(connection: Connection, schema: str | None) -> tuple[Table, ...]:
    """Every table, with the links and looked-up words that names tell."""
    linked = with_links(await read_tables(connection, schema))
    return tuple(with_pair(with_lookups(table, linked)) for table in linked)


async def propose(
    connection: Connection, tables: Sequence[Table], *, accounts: Accounts, timezone: str | None
) -> Proposal:
    """Statements for the tables that look most like orders, positions and profiles."""
    notes = Notes()
    chosen, others = await _choose(connection, tables, notes)
    samples = {what: await _sampled(connection, table, notes) for what, table in chosen.items()}
    chosen = {what: _with_key(what, t, samples[what], notes) for what, t in chosen.items()}
    chosen = {
        what: with_flags(await _with_words(connection, table), samples[what])
        for what, table in chosen.items()
    }
    owner = find_owner(chosen, tables)
    owners = (
        await _sampled(connection, owner.table, notes) if owner is not None else Sample(columns={})
    )
    zone = await _zone(connection, chosen, samples, timezone, notes)
    ownership = ownership_of(chosen, samples, owner, owners, notes)
    parts = []
    if owner is not None and ownership.key is not None:
        profiles = with_flags(owner.table, owners)
        matches = match_columns(profiles, PROFILES, owners, taken=profiles.key)
        parts.append(
            propose_profiles(
                profiles, ownership.key, matches, owners, accounts=accounts, notes=notes
            )
        )
    else:
        parts.append(literal_profiles(ownership.ids, accounts, notes))
    for what, propose_part in (("orders", propose_orders), ("positions", propose_positions)):
        if what not in chosen:
            parts.append(Part(what=what, table=None, statements={}))
            continue
        wanted = ORDERS if what == "orders" else POSITIONS
        table, seen = chosen[what], samples[what]
        mine = ownership.columns.get(what)
        matches = match_columns(table, wanted, seen, taken=() if mine is None else (mine.name,))
        if mine is not None:
            matches["profile_id"] = _link(mine, owner)
        matches = in_units(matches, table, seen, notes)
        if what == "positions":
            matches = with_what_is_held(matches, table, notes)
            await note_series(connection, table, matches, mine, notes)
        real = real_rows(table, matches, seen, row=ROWS[what], notes=notes)
        if owner is not None and mine is not None and ownership.key is not None:
            real += real_owners(owner.table, ownership.key, mine, row=ROWS[what], notes=notes)
        part = propose_part(
            table,
            matches,
            seen,
            zone=zone,
            profile=ownership.expressions[what],
            real=real,
            notes=notes,
        )
        parts.append(replace(part, alternatives=others.get(what, ())))
    return Proposal(
        parts=tuple(parts),
        untold=tuple(dict.fromkeys(notes.untold)),
        assumed=tuple(dict.fromkeys(notes.assumed)),
    )


async def _choose(
    connection: Connection, tables: Sequence[Table], notes: Notes
) -> tuple[dict[str, Table], dict[str, tuple[str, ...]]]:
    chosen: dict[str, Table] = {}
    others: dict[str, tuple[str, ...]] = {}
    samples: dict[str, Sample] = {}
    for what in ("orders", "positions"):
        ranked = _usable(rank_tables(what, tables), chosen)
        if not ranked or ranked[0].lacks:
            if not samples:
                samples = await _sample_all(connection, tables)
            ranked = _usable(rank_tables(what, tables, samples), chosen) or ranked
        if ranked and not (ranked[0].named and not ranked[0].lacks):
            ranked = await _with_documents(connection, what, ranked)
        if ranked and not ranked[0].lacks:
            chosen[what] = ranked[0].table
            near = [c for c in ranked[1:4] if not c.lacks and c.score > ranked[0].score // 2]
            others[what] = tuple(c.table.quoted for c in near)
            if near:
                notes.assumed.append(
                    f"{what} are in {ranked[0].table.quoted}; {', '.join(others[what])} "
                    "looked like it too"
                )
        else:
            _note_absence(what, ranked, notes)
    return chosen, others


async def _with_documents(
    connection: Connection, what: str, ranked: Sequence[Candidate]
) -> list[Candidate]:
    """Tables of that name whose rows are documents, with the keys of those."""
    named = [
        c.table for c in ranked if c.named and any(k.kind is Kind.JSON for k in c.table.columns)
    ]
    opened = [await with_json_keys(connection, table) for table in named[:MOST_DOCUMENTS]]
    samples = {table.quoted: await sample(connection, table, table.columns) for table in opened}
    found = [*rank_tables(what, opened, samples), *ranked]
    return sorted(found, key=lambda candidate: bool(candidate.lacks))


def _of_json(table: Table) -> str:
    """Where the rest may be."""
    names = [c.name for c in table.columns if c.kind is Kind.JSON]
    if not names:
        return ""
    return (
        f". What is in {', '.join(names)} (json) was not looked at: write it as "
        f"{names[0]}->>'symbol', ({names[0]}->>'qty')::numeric and so on"
    )


def _usable(ranked: Sequence[Candidate], chosen: Mapping[str, Table]) -> list[Candidate]:
    return [
        c for c in ranked if c.table.may_read and c.table not in chosen.values() and c.score > 0
    ]


def _note_absence(what: str, ranked: Sequence[Candidate], notes: Notes) -> None:
    for candidate in ranked[:3]:
        notes.untold.append(
            f"{candidate.table.quoted} may hold {what}, but no column of it was told to be "
            f"{', nor '.join(candidate.lacks)}{_of_json(candidate.table)}"
        )
    if what == "positions":
        notes.untold.append(
            "no table of positions was found, and they are not derived from orders: write "
            "positions.select so that it returns what the bot believes to hold (id, profile_id, "
            "symbol, side, qty, open, updated_at). Until then nothing is judged: an empty answer "
            "would make every position at the venue a ghost"
        )
    else:
        notes.untold.append("no table of orders was found: write orders.select, .find and .update")


async def _sample_all(connection: Connection, tables: Sequence[Table]) -> dict[str, Sample]:
    largest = sorted((t for t in tables if t.may_read), key=lambda t: -t.rows)[:MOST_SAMPLED]
    return {table.quoted: await sample(connection, table, table.columns) for table in largest}


async def _sampled(connection: Connection, table: Table, notes: Notes) -> Sample:
    found = await sample(connection, table, table.columns)
    if found.trouble is not None:
        notes.untold.append(f"no rows were looked at: {found.trouble}")
    elif found.rows == 0:
        hides = await connection.fetchval(
            "select row_security_active(to_regclass($1))", table.quoted
        )
        why = "shows this role no row (row-level security)" if hides else "holds no row yet"
        notes.untold.append(f"{table.quoted} {why}: told by names and types alone")
    return found


def _with_key(what: str, table: Table, seen: Sample, notes: Notes) -> Table:
    """A table without a key goes by an id that it has."""
    if len(table.key) > 1:
        return _with_one_key(table, notes)
    if table.key:
        return table
    matches = match_columns(table, ORDERS if what == "orders" else POSITIONS, seen)
    roles = ("client_order_id", "venue_order_id") if what == "orders" else ("symbol",)
    for role in ("id", *roles):
        column = table.column("id") if role == "id" else None
        if column is None and role in matches:
            column = matches[role].column
        if column is not None:
            notes.untold.append(
                f"{table.quoted} has no primary key: rows are told by {column.name}"
            )
            return replace(table, key=(column.name,))
    return replace(table, key=(table.columns[0].name,))


def _with_one_key(table: Table, notes: Notes) -> Table:
    """The number that the table itself makes up is enough, whatever else a partition needs."""
    for name in table.key:
        column = table.column(name)
        default = (column.default or "") if column is not None else ""
        if "nextval(" in default or "uuid" in default or default == "identity":
            notes.assumed.append(f"{name} alone tells the rows of {table.quoted}")
            return replace(table, key=(name,))
    return table


async def _with_words(connection: Connection, table: Table) -> Table:
    """All the words of a table that a status is looked up in, as if it were an enum."""
    columns = []
    for column in table.columns:
        at = column.lookup
        if at is not None and column.name in ("status", "state", "order_status", "order_state"):
            try:
                async with connection.transaction():
                    rows = await connection.fetch(
                        f"select distinct left(w.{at.said}, 64) from {at.table} w limit 100"  # noqa: S608 - quoted by the server
                    )
            except asyncpg.PostgresError:
                rows = []
            column = replace(column, labels=tuple(str(r[0]) for r in rows if r[0] is not None))  # noqa: PLW2901 - the same column, with its words
        columns.append(column)
    return replace(table, columns=tuple(columns))


async def _zone(
    connection: Connection,
    chosen: Mapping[str, Table],
    samples: Mapping[str, Sample],
    asked: str | None,
    notes: Notes,
) -> str:
    row = await connection.fetchrow(
        "select current_setting('TimeZone') as server, clock_timestamp() as now"
    )
    assert row is not None
    return zone_of(
        [(table, samples[what]) for what, table in chosen.items()],
        asked=asked,
        server=row["server"],
        now=row["now"],
        notes=notes,
    )


def _link(column: Column, owner: Owner | None) -> Match:
    """Why this column says whose row it is."""
    if owner is None:
        return Match(column=column, score=KNOWN_WORDS, why="by its name")
    declared = column.link is not None and column.link.declared
    why = f"{'a key of' if declared else 'by its name, for'} {owner.table.quoted}"
    return Match(column=column, score=KNOWN_NAME if declared else KNOWN_WORDS, why=why)
