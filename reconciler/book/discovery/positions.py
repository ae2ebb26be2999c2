"""The statement of positions for a table that nobody described."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.book.discovery.catalogue import Column, Kind, Table
from reconciler.book.discovery.expressions import Notes, Time, beside, number, side_of, time_of
from reconciler.book.discovery.matching import Match
from reconciler.book.discovery.names import plain, word_set
from reconciler.book.discovery.proposal import Mapped, Part, key_of
from reconciler.book.discovery.sampling import Sample, Values

ROW = "p"
OPEN = word_set(
    "open opened active live holding held running partially_closed closing in_progress "
    "o partial exiting managed entered filled partially_filled partial_close open_long "
    "open_short long short hold reducing abierta abierto offen"
)
COMING = word_set(
    "pending opening new entering created waiting submitted planned queued pending_entry "
    "pending_open awaiting_entry armed"
)
"""An entry is under way: nothing is held yet."""
CLOSED = word_set(
    "closed close c exited liquidated settled done finished completed complete flat inactive "
    "stopped_out expired canceled cancelled rejected failed archived stop_loss take_profit "
    "sl tp closed_manually closed_by_user won lost cerrada cerrado geschlossen void"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """How an open row is told from one that ended."""

    open: str
    live: str
    ended: str
    """Conditions; each row meets one of the two."""
    coming: str | None = None
    role: str


def propose_positions(
    table: Table,
    matches: Mapping[str, Match],
    sample: Sample,
    *,
    zone: str,
    profile: str,
    real: str,
    notes: Notes,
) -> Part:
    """`positions.select`; what cannot be told is in the notes. `real`: as of orders."""

    def column(role: str) -> Column | None:
        match = matches.get(role)
        return match.column if match is not None else None

    symbol, quantity = column("symbol"), column("qty")
    if symbol is None or quantity is None:
        lacking = "which symbol it is" if symbol is None else "how much is held"
        notes.untold.append(f"positions of {table.quoted}: no column says {lacking}")
        return Part(what="positions", table=table, statements={})
    ending = _ending(column, sample, quantity, table=table, notes=notes)
    times = {
        role: time_of(
            found, sample.of(found), zone=zone, notes=notes, beside=beside(matches, sample)
        )
        for role in ("updated_at", "closed_at", "created_at")
        if (found := column(role)) is not None
    }
    side = side_of(
        column("side"),
        sample.of(column("side")),
        row=ROW,
        words=("long", "short"),
        quantity=(quantity, sample.of(quantity)),
        notes=notes,
    )
    columns = {
        "id": (key_of(table, ROW), "id"),
        "profile_id": (profile, "profile_id"),
        "symbol": (symbol.of(ROW), "symbol"),
        "side": (side, "side"),
        "qty": (_held(quantity, sample.of(quantity), ending), "qty"),
        "open": (ending.open, ending.role),
        "updated_at": (_changed(times), next(iter(times), "updated_at")),
    }
    listed = ",\n       ".join(f"{sql} as {name}" for name, (sql, _) in columns.items())
    select = (
        f"select {listed}\nfrom {table.quoted} {ROW}\nwhere {ending.live}{real}\n"
        f"union all\nselect {listed}\nfrom {table.quoted} {ROW}\n"
        f"where {ending.ended} and {_since(times)}{real}"
    )
    if not times:
        notes.assumed.append(
            f"{table.quoted} has no time of change: we watch its rows for changes instead"
        )
    return Part(
        what="positions",
        table=table,
        statements={"select": select},
        mapped=tuple(
            Mapped.of(name, role, matches.get(role), table) for name, (_, role) in columns.items()
        ),
    )


def _held(quantity: Column, values: Values, ending: _Ending) -> str:
    size = number(quantity, ROW)
    if any(n < 0 for n in values.numbers()) or not values.words:
        size = f"abs({size})"
    return size if ending.coming is None else f"case when {ending.coming} then 0 else {size} end"


def _changed(times: Mapping[str, Time]) -> str:
    """The likeliest that is not null."""
    found = []
    for time in times.values():
        found.append(time.read(ROW))
        if not time.column.nullable:
            break
    else:
        found.append("to_timestamp(0)")
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def _since(times: Mapping[str, Time]) -> str:
    if not times:
        return "$1::timestamptz is not null"
    first = next(iter(times.values()))
    if not first.column.nullable:
        return first.since(ROW)
    return f"({' or '.join(time.since(ROW) for time in times.values())})"


def _ending(
    column: Callable[[str], Column | None],
    sample: Sample,
    quantity: Column,
    *,
    table: Table,
    notes: Notes,
) -> _Ending:
    """The plainest column first: a flag, a status of known words, an end, a quantity."""
    flag, status, closed_at = column("is_open"), column("status"), column("closed_at")
    if flag is not None:
        value = flag.of(ROW)
        if "closed" in plain(flag.name):
            return _Ending(
                open=f"{value} is not true",
                live=f"{value} is not true",
                ended=value,
                role="is_open",
            )
        return _Ending(
            open=f"{value} is not false",
            live=f"{value} is not false",
            ended=f"not {value}",
            role="is_open",
        )
    if status is not None:
        by_status = _by_status(status, sample.of(status), closed_at=closed_at, notes=notes)
        if by_status is not None:
            return by_status
    if closed_at is not None:
        value = closed_at.of(ROW)
        if closed_at.kind in (Kind.WHOLE, Kind.NUMBER, Kind.TEXT):
            empty = "''" if closed_at.kind is Kind.TEXT else "0"
            value = f"nullif({value}, {empty})"
        return _Ending(
            open=f"{value} is null",
            live=f"{value} is null",
            ended=f"{value} is not null",
            role="closed_at",
        )
    size = number(quantity, ROW)
    notes.assumed.append(f"a row of {table.quoted} is open while {quantity.name} is not 0")
    return _Ending(
        open=f"coalesce({size} <> 0, true)",
        live=f"({size} <> 0 or {size} is null)",
        ended=f"{size} = 0",
        role="qty",
    )


def _by_status(
    status: Column, values: Values, *, closed_at: Column | None, notes: Notes
) -> _Ending | None:
    seen = [w for w in (*values.words, *(w for w in status.labels if w not in values.words)) if w]
    meant = {word: plain(word) for word in seen}
    closed = [w for w, p in meant.items() if p in CLOSED]
    coming = [w for w, p in meant.items() if p in COMING]
    strange = [w for w, p in meant.items() if p not in CLOSED | COMING | OPEN]
    if seen and not closed and len(strange) == len(seen) and closed_at is not None:
        notes.assumed.append(f"{status.name} is not known; {closed_at.name} says what has ended")
        return None
    if strange:
        notes.untold.append(
            f"{status.name} of positions holds {', '.join(strange[:10])}: taken as open. Where one "
            "means closed, add it to the lists in positions.select"
        )
    if not closed and status.kind is Kind.WHOLE:
        return _Ending(open="true", live="true", ended="false", role="status")
    if not status.labels:
        upper = bool(seen) and all(w.isupper() for w in seen)
        standard = "CLOSED" if upper else "Closed" if seen and seen[0].istitle() else "closed"
        closed += [standard] if standard not in closed else []
    if not closed:
        notes.untold.append(f"no word of {status.name} means that a position has closed")
        return _Ending(open="true", live="true", ended="false", role="status")
    ended = status.is_one_of(ROW, closed)
    live = ended.replace(" in (", " not in (", 1)
    if status.nullable:
        live = f"({live} or {status.stored(ROW)} is null)"
    if coming:
        notes.assumed.append(
            f"{status.name} {', '.join(coming)}: an entry under way, which holds nothing yet"
        )
    return _Ending(
        open=live,
        live=live,
        ended=ended,
        coming=status.is_one_of(ROW, coming) if coming else None,
        role="status",
    )
