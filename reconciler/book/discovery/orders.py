"""The statements of orders for a table that nobody described."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.book.discovery.catalogue import Column, Kind, Table, literal
from reconciler.book.discovery.expressions import (
    Notes,
    Time,
    beside,
    id_of,
    is_any_of,
    number,
    side_of,
    time_of,
)
from reconciler.book.discovery.matching import Match
from reconciler.book.discovery.names import TEXTS, plain, word_set
from reconciler.book.discovery.proposal import NOT_OURS, Mapped, Part, indented, key_of
from reconciler.book.discovery.sampling import Sample
from reconciler.book.discovery.venue_ids import with_the_key_as_venue_id
from reconciler.book.discovery.words import OrderWords, order_words
from reconciler.domain.orders import OrderState

ROW = "o"
CLOSES = word_set("close closing exit reduce decrease sl tp stop_loss take_profit cover")
OPENS = word_set("open opening entry enter increase add")


@dataclass(slots=True, kw_only=True)
class _Orders:
    """What the statements are made of."""

    table: Table
    matches: Mapping[str, Match]
    sample: Sample
    zone: str
    profile: str
    """An expression for `profile_id`."""
    notes: Notes

    def column(self, role: str) -> Column | None:
        """What stands for this column of the contract."""
        match = self.matches.get(role)
        return match.column if match is not None else None

    def time(self, role: str) -> Time | None:
        """The same, of a time."""
        column = self.column(role)
        if column is None:
            return None
        return time_of(
            column,
            self.sample.of(column),
            zone=self.zone,
            notes=self.notes,
            beside=beside(self.matches, self.sample),
        )


def propose_orders(
    table: Table,
    matches: Mapping[str, Match],
    sample: Sample,
    *,
    zone: str,
    profile: str,
    real: str,
    notes: Notes,
) -> Part:
    """`orders.select`, `orders.find` and `orders.update`; what cannot be told is in the notes.

    `real`: ` and …`, of rows that are no paper trades.
    """
    of = _Orders(
        table=table, matches=matches, sample=sample, zone=zone, profile=profile, notes=notes
    )
    of.matches = with_the_key_as_venue_id(table, matches, notes)
    created, updated = of.time("created_at") or of.time("updated_at"), of.time("updated_at")
    quantity, status = of.column("qty"), of.column("status")
    if quantity is None or created is None or (status is None and of.column("is_open") is None):
        lacking = [
            said
            for said, column in (
                ("how much was ordered", quantity),
                ("when a row was created", created),
                ("what became of an order", status or of.column("is_open")),
            )
            if column is None
        ]
        notes.untold.append(f"orders of {table.quoted}: no column says {', nor '.join(lacking)}")
        return Part(what="orders", table=table, statements={})
    words = order_words(status, sample.of(status)) if status is not None else None
    _note_words(status, words, notes)
    columns = _columns(of, quantity, created, updated, words)
    listed = ",\n       ".join(f"{sql} as {name}" for name, (sql, _) in columns.items())
    source = f"from {table.quoted} {ROW}"
    live, ended = _ended(of, words)
    since = (updated or created).since(ROW)
    if updated is not None and updated.column.nullable and updated.column is not created.column:
        since = f"({since} or {created.since(ROW)})"
    if ended is None:
        select = f"select {listed}\n{source}\nwhere ({live} or {since}){real}"
    else:
        select = f"select {listed}\n{source}\nwhere {live}{real}"
        select += f"\nunion all\nselect {listed}\n{source}\nwhere {ended} and {since}{real}"
    update, writes = _update(of, quantity, words, updated)
    return Part(
        what="orders",
        table=table,
        statements={"select": select, "find": _find(of, listed, source, real), "update": update},
        mapped=tuple(
            Mapped.of(name, role, of.matches.get(role), table)
            for name, (_, role) in columns.items()
        ),
        writes=writes,
        words=words,
    )


def _columns(
    of: _Orders, quantity: Column, created: Time, updated: Time | None, words: OrderWords | None
) -> dict[str, tuple[str, str]]:
    """Each column of the contract: its SQL, and what it was matched as."""
    symbol = of.column("symbol")
    assert symbol is not None
    columns = {
        "id": (key_of(of.table, ROW), "id"),
        "profile_id": (of.profile, "profile_id"),
        "symbol": (symbol.of(ROW), "symbol"),
        "side": (_side(of, quantity), "side"),
        "qty": (number(quantity, ROW), "qty"),
        "filled": (_filled(of, quantity, words), "filled" if of.column("filled") else "remaining"),
        "status": (_status(of, quantity, words), "status" if words else "is_open"),
    }
    for role in ("client_order_id", "venue_order_id"):
        column = of.column(role)
        columns[role] = (id_of(column, ROW) if column is not None else "null::text", role)
    columns["created_at"] = (
        created.read(ROW),
        "created_at" if of.column("created_at") else "updated_at",
    )
    columns["updated_at"] = (
        updated.read(ROW) if updated is not None else "null::timestamptz",
        "updated_at",
    )
    for role in ("type", "price", "avg_price", "reduce_only", "role"):
        column = of.column(role)
        if column is not None:
            is_number = role in ("price", "avg_price")
            columns[role] = (number(column, ROW) if is_number else column.of(ROW), role)
    _note_lacks(of, updated)
    return columns


def _note_lacks(of: _Orders, updated: Time | None) -> None:
    if of.column("venue_order_id") is None and of.column("client_order_id") is None:
        of.notes.untold.append(
            f"{of.table.quoted} has no column for the venue's or a client's order id: its orders "
            "can be told by fills alone, and are quarantined as unidentifiable"
        )
    if updated is None:
        of.notes.assumed.append(
            f"{of.table.quoted} has no time of change: ended orders are read by their creation"
        )


def _note_words(status: Column | None, words: OrderWords | None, notes: Notes) -> None:
    if status is not None and words is not None and words.unmapped:
        shown = ", ".join(f"{word} ({words.seen[word]} rows)" for word in words.unmapped[:10])
        notes.untold.append(
            f"what these words of {status.name} mean: {shown}. Their orders are not judged until "
            "[book.vocabulary] names them"
        )
    if status is not None and words is not None and words.missing:
        shown = ", ".join(words.missing)
        notes.untold.append(
            f"how {status.name} says {shown}: it takes no such word, so such an order's row is "
            "left as it is; add the words to the column's type or CHECK, and to [book.write]"
        )


def _side(of: _Orders, quantity: Column) -> str:
    side, reduces = of.column("side"), of.column("reduce_only")
    values = of.sample.of(side)
    found = {w.lower() for w in (*values.words, *(side.labels if side else ()))}
    if side is None or not found & {"long", "short"} or found & {"buy", "sell"}:
        return side_of(
            side,
            values,
            row=ROW,
            words=("buy", "sell"),
            quantity=(quantity, of.sample.of(quantity)),
            notes=of.notes,
        )
    value = f"lower({side.text(ROW)}) = 'long'"
    if reduces is None and (effect := _effect(of)) is not None:
        of.notes.assumed.append(
            f"{side.name} long is read as buy, and as sell where {effect.name} closes"
        )
        closes = effect.is_one_of(
            ROW, [w for w in of.sample.of(effect).words if plain(w) in CLOSES]
        )
        return f"case when ({value}) <> coalesce({closes}, false) then 'buy' else 'sell' end"
    if reduces is None:
        of.notes.untold.append(
            f"{side.name} of orders holds long and short, and no column says which orders close: "
            "long is read as buy, which is right of entries alone"
        )
        return f"case when {value} then 'buy' else 'sell' end"
    of.notes.assumed.append(f"{side.name} long is read as buy, and as sell where {reduces.name}")
    closes = f"coalesce({reduces.of(ROW)}, false)"
    return f"case when ({value}) <> {closes} then 'buy' else 'sell' end"


def _effect(of: _Orders) -> Column | None:
    """A column that says of each order whether it opens or closes."""
    for column in of.table.columns:
        words = {plain(w) for w in (*of.sample.of(column).words, *column.labels)}
        if words & CLOSES and words <= CLOSES | OPENS and column.kind in TEXTS:
            return column
    return None


def _filled(of: _Orders, quantity: Column, words: OrderWords | None) -> str:
    filled, remaining = of.column("filled"), of.column("remaining")
    if filled is not None:
        value = number(filled, ROW)
        negative = any(n < 0 for n in of.sample.of(filled).numbers())
        value = f"abs({value})" if negative else value
        return f"coalesce({value}, 0)" if filled.nullable else value
    if remaining is not None:
        of.notes.assumed.append(f"filled is what {remaining.name} leaves of {quantity.name}")
        whole = f"abs({number(quantity, ROW)})"
        return f"({whole} - coalesce(abs({number(remaining, ROW)}), {whole}))"
    status = of.column("status")
    of.notes.untold.append(
        f"{of.table.quoted} has no column for what was filled: nothing where an order has not "
        "ended as filled, else all of it; a partial fill cannot be seen or written"
    )
    done = words.ended_in(OrderState.FILLED) if words is not None else ()
    if status is None or not done:
        return "0::numeric"
    return f"(case when {status.is_one_of(ROW, done)} then abs({number(quantity, ROW)}) else 0 end)"


def _status(of: _Orders, quantity: Column, words: OrderWords | None) -> str:
    if words is not None:
        status = of.column("status")
        assert status is not None
        return status.text(ROW) if status.kind is not Kind.WHOLE else status.of(ROW)
    live, _ = _ended(of, None)
    filled = _filled(of, quantity, None)
    of.notes.assumed.append(
        f"{of.table.quoted} has no status: an order is open while its row says so, then filled "
        "where all of it was, else canceled"
    )
    whole = f"abs({number(quantity, ROW)})"
    return (
        f"case when {live} then 'open' when {filled} >= {whole} then 'filled' else 'canceled' end"
    )


def _ended(of: _Orders, words: OrderWords | None) -> tuple[str, str | None]:
    """Two conditions, of which each row meets one; no second where nothing tells the end."""
    status, is_open = of.column("status"), of.column("is_open")
    if words is not None and status is not None:
        if words.ended:
            ended = status.is_one_of(ROW, words.ended)
            live = ended.replace(" in (", " not in (", 1)
            if status.nullable:
                live = f"({live} or {status.stored(ROW)} is null)"
            return live, ended
        of.notes.untold.append(
            f"no word of {status.name} is known to mean that an order ended: every row is read "
            "each time, which a long table makes slow"
        )
        return "true", None
    assert is_open is not None
    value = is_open.of(ROW)
    if {"closed", "done"} & set(is_open.name.lower().split("_")):
        return f"{value} is not true", f"{value}"
    return f"{value} is not false", f"not {value}"


def _find(of: _Orders, listed: str, source: str, real: str) -> str:
    venue, client = of.column("venue_order_id"), of.column("client_order_id")
    both = "($1::text[] is not null and $2::text[] is not null)"
    branches = [
        f"select {listed}\n{source}\nwhere {is_any_of(column, ROW, ids)}{real}"
        for column, ids in ((venue, "$1::text[]"), (client, "$2::text[]"))
        if column is not None
    ]
    if venue is not None and client is not None:
        return "\nunion\n".join(branches)
    if branches:
        return f"{branches[0]}\n  and {both}"
    return f"select {listed}\n{source}\nwhere false and {both}"


def _update(
    of: _Orders, quantity: Column, words: OrderWords | None, updated: Time | None
) -> tuple[str, tuple[str, ...]]:
    status = of.column("status")
    is_ours = not of.table.is_view and not (status is not None and status.reads is not None)
    if words is None or status is None or not words.write or not is_ours:
        of.notes.untold.append(
            f"how the end of an order is written to {of.table.quoted} cannot be told: "
            "nothing is written there, quarantine and sync stay in our own tables"
        )
        return NOT_OURS, ()
    sets = [_set_status(status)]
    sets += _set_filled(of, quantity)
    average = of.column("avg_price")
    if average is not None and not average.is_generated:
        written = average.written("u.avg_price", ROW)
        sets.append(f"{average.quoted} = coalesce({written}, {ROW}.{average.quoted})")
    if updated is not None and (now := updated.now()) is not None:
        sets.append(f"{updated.column.quoted} = {now}")
    guard = [
        f"{key_of(of.table, ROW)} = {_key_cast(of.table)}",
        f"{status.text(ROW)} = u.seen_status",
        f"{_filled(_quiet(of), quantity, words)} <= u.filled",
    ]
    if words.allowed is not None:
        guard.append(f"u.new_status in ({', '.join(map(literal, words.allowed))})")
    joined = "\n  and ".join(guard)
    update = (
        f"update {of.table.quoted} {ROW}\nset {indented(sets)}\n"
        "from unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::numeric[])\n"
        "  as u(id, seen_status, new_status, filled, avg_price)\n"
        f"where {joined}\nreturning {key_of(of.table, ROW)}"
    )
    return update, tuple(s.split(" = ", 1)[0] for s in sets)


def _quiet(of: _Orders) -> _Orders:
    """The same, without saying its notes twice."""
    return _Orders(
        table=of.table,
        matches=of.matches,
        sample=of.sample,
        zone=of.zone,
        profile=of.profile,
        notes=Notes(),
    )


def _set_status(status: Column) -> str:
    if (at := status.lookup) is not None:
        return (
            f"{at.column} = (select w.{at.key} from {at.table} w where w.{at.said} = u.new_status)"  # noqa: S608 - quoted by the server
        )
    return f"{status.quoted} = u.new_status::{status.type}"


def _set_filled(of: _Orders, quantity: Column) -> list[str]:
    filled, remaining = of.column("filled"), of.column("remaining")
    sets = []
    if filled is not None and not filled.is_generated:
        negative = any(n < 0 for n in of.sample.of(filled).numbers())
        sign = f"sign({number(quantity, ROW)})::numeric * " if negative else ""
        sets.append(f"{filled.quoted} = {filled.written(f'{sign}u.filled', ROW)}")
    if remaining is not None and not remaining.is_generated:
        whole = f"abs({number(quantity, ROW)})::numeric"
        sets.append(f"{remaining.quoted} = {remaining.written(f'{whole} - u.filled', ROW)}")
    return sets


def _key_cast(table: Table) -> str:
    if len(table.key) == 1:
        column = table.column(table.key[0])
        assert column is not None
        if column.kind in (Kind.UUID, Kind.WHOLE):
            return f"u.id::{column.type}"
    return "u.id"
