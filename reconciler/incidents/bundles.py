"""Stored evidence bundles as the values that the rules judge. Pure."""

import contextlib
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from reconciler.domain.book import BookReading, Profile, UnreadableRow
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import AccountName, BookName, Symbol
from reconciler.domain.orders import BookOrder, VenueOrder
from reconciler.domain.positions import BookPosition, Market, VenuePosition
from reconciler.domain.snapshot import Found, Lookup, NotFound, Scope, Snapshot, Unanswered
from reconciler.domain.verdicts import OrderVerdict, PositionVerdict
from reconciler.incidents.evidence import FORMAT, JudgedUnder
from reconciler.rules.ghost_positions import PositionLimits
from reconciler.rules.order_status import OrderLimits

T = TypeVar("T")
DAMAGE = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What reading a damaged value ends in."""
LOOKUPS: Mapping[str, type[Found | NotFound | Unanswered]] = {
    kind.__name__: kind for kind in (Found, NotFound, Unanswered)
}


class BundleUnreadableError(ReconcilerError):
    """A bundle that cannot be judged again; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Everything that one verdict was reached from."""

    verdict: PositionVerdict | OrderVerdict
    reading: BookReading
    snapshot: Snapshot
    under: JudgedUnder
    symbol: Symbol
    changed_at: datetime | None
    lookup: Lookup | None
    positions: PositionLimits | None
    orders: OrderLimits | None


def read_bundle(data: Any) -> Bundle:
    """A bundle as `incidents export` writes it. Raises BundleUnreadableError."""
    if not isinstance(data, Mapping):
        raise BundleUnreadableError("not an evidence bundle: it is no JSON object")
    if data.get("format") != FORMAT:
        raise BundleUnreadableError(
            f"format {data.get('format')!r} cannot be judged again, only format {FORMAT} can"
        )
    try:
        return _read(data)
    except DAMAGE as error:
        detail = f"{type(error).__name__}: {error}"
        raise BundleUnreadableError(f"the bundle is damaged: {detail}") from error


def _read(data: Mapping[str, Any]) -> Bundle:
    book, venue, limits = data["book"], data["venue"], data["limits"]
    verdict = _verdict(data["verdict"])
    if data["judged"] is None or data["symbol"] is None:
        raise BundleUnreadableError("the bundle does not say what it was judged under")
    under: JudgedUnder = value_of(JudgedUnder, data["judged"])
    return Bundle(
        verdict=verdict,
        reading=BookReading(
            book=BookName(book["name"]),
            account=AccountName(data["account"]),
            read_at=_moment(book["read_at"]),
            profiles=_rows(Profile, book["profiles"]),
            orders=_rows(BookOrder, book["orders"]),
            positions=_rows(BookPosition, book["positions"]),
            stray_orders=_rows(BookOrder, book["stray_orders"]),
            stray_positions=_rows(BookPosition, book["stray_positions"]),
            unreadable=_rows(UnreadableRow, book["unreadable"]),
        ),
        snapshot=_snapshot(venue, account=AccountName(data["account"])),
        under=under,
        symbol=Symbol(data["symbol"]),
        changed_at=value_of(datetime | None, book["changed_at"]),
        lookup=_lookup(data["lookup"]),
        positions=value_of(PositionLimits | None, limits.get("positions")),
        orders=value_of(OrderLimits | None, limits.get("orders")),
    )


def _snapshot(venue: Mapping[str, Any], *, account: AccountName) -> Snapshot:
    positions = [*venue["positions"], *venue["of_account_mode"]]
    return Snapshot(
        account=account,
        taken_at=_moment(venue["taken_at"]),
        scopes={scope.name: scope for scope in _rows(Scope, venue["scopes"])},
        orders=_rows(VenueOrder, venue["orders"]),
        positions=_rows(VenuePosition, positions),
        markets={market.symbol: market for market in _rows(Market, venue["markets"])},
    )


def _verdict(data: Mapping[str, Any]) -> PositionVerdict | OrderVerdict:
    kinds: Mapping[str | None, type[PositionVerdict | OrderVerdict]] = {
        "PositionVerdict": PositionVerdict,
        "OrderVerdict": OrderVerdict,
    }
    kind = kinds.get(data.get("type"))
    if kind is None:
        raise BundleUnreadableError("the bundle holds no verdict about an order or a position")
    verdict: PositionVerdict | OrderVerdict = value_of(kind, data)
    return verdict


def _lookup(data: Mapping[str, Any] | None) -> Lookup | None:
    if data is None:
        return None
    lookup: Lookup = value_of(LOOKUPS[data["type"]], data)
    return lookup


def _rows(kind: type[T], data: list[Any]) -> tuple[T, ...]:
    return tuple(value_of(kind, row) for row in data)


def readable(kind: type[T], data: Iterable[Any]) -> tuple[T, ...]:
    """The rows that can be read, of a bundle of any format: for telling, not for judging."""
    rows: list[T] = []
    for row in data:
        with contextlib.suppress(*DAMAGE):
            rows.append(value_of(kind, row))
    return tuple(rows)


def value_of(hint: Any, data: Any) -> Any:
    """One JSON value as the type that the field is annotated with."""
    if isinstance(hint, NewType):
        return value_of(hint.__supertype__, data)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        [one] = [arm for arm in get_args(hint) if arm is not type(None)]
        return None if data is None else value_of(one, data)
    if origin in (tuple, frozenset):
        return origin(value_of(get_args(hint)[0], item) for item in data)
    if is_dataclass(hint):
        return _dataclass_of(hint, data)
    read = READERS.get(hint)
    if read is not None:
        return read(data)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    raise TypeError(f"a bundle holds no {hint!r}")


def _dataclass_of(kind: Any, data: Mapping[str, Any]) -> Any:
    """Fields that the bundle lacks keep their defaults: a newer program may know more."""
    hints = _hints_of(kind)
    return kind(
        **{
            field.name: value_of(hints[field.name], data[field.name])
            for field in fields(kind)
            if field.name in data or (field.default is MISSING and field.default_factory is MISSING)
        }
    )


@cache
def _hints_of(kind: type[Any]) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _exactly(kind: type[T]) -> Callable[[Any], T]:
    def read(data: Any) -> T:
        if not isinstance(data, kind):
            raise TypeError(f"{data!r} is no {kind.__name__}")
        return data

    return read


def _duration(data: Any) -> timedelta:
    return timedelta(seconds=float(data))


def _decimal(data: Any) -> Decimal:
    number = Decimal(str(data))
    if number.is_nan():
        raise ValueError(f"{data!r} is no number")
    return number


def _moment(data: Any) -> datetime:
    at = datetime.fromisoformat(data)
    if at.tzinfo is None:
        raise ValueError(f"{data!r} has no time zone")
    return at


READERS: Mapping[Any, Callable[[Any], Any]] = {
    str: _exactly(str),
    bool: _exactly(bool),
    int: _exactly(int),
    Decimal: _decimal,
    datetime: _moment,
    timedelta: _duration,
}
