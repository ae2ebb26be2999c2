"""Small builders of domain values: a test names only what it is about."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from reconciler.domain.book import BookReading, Profile
from reconciler.domain.identity import (
    AccountName,
    BookName,
    BookOrderId,
    BookPositionId,
    ClientOrderId,
    ProfileId,
    Symbol,
    VenueOrderId,
)
from reconciler.domain.orders import BookOrder, Fill, OrderSide, OrderState, VenueOrder
from reconciler.domain.positions import BookPosition, Market, PositionSide, VenuePosition
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    Failure,
    NotFound,
    Scope,
    ScopeName,
    Snapshot,
    Unanswered,
)

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
"""Database clock of every test that does not move it."""
BOOK = BookName("main")
ACCOUNT = AccountName("main")
BTC = Symbol("BTC/USDT:USDT")
ETH = Symbol("ETH/USDT:USDT")
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
BUY, SELL = OrderSide.BUY, OrderSide.SELL
A_DAY = timedelta(days=1)
A_MINUTE = timedelta(minutes=1)


def book_order(
    order_id: str = "o1",
    *,
    state: OrderState = OrderState.OPEN,
    symbol: Symbol = BTC,
    side: OrderSide = BUY,
    qty: str | Decimal = "1",
    filled: str | Decimal = "0",
    age: timedelta = timedelta(hours=2),
    touched: timedelta | None = None,
    venue_id: str | None = "v1",
    client_id: str | None = "c1",
    raw_status: str | None = None,
    profile: str = "p1",
) -> BookOrder:
    """A row of the book; `touched`: how long ago it was updated, None: when it was created."""
    return BookOrder(
        id=BookOrderId(order_id),
        profile_id=ProfileId(profile),
        symbol=symbol,
        raw_symbol=symbol,
        side=side,
        qty=Decimal(qty),
        filled=Decimal(filled),
        state=state,
        raw_status=raw_status if raw_status is not None else state.value,
        client_order_id=ClientOrderId(client_id) if client_id is not None else None,
        venue_order_id=VenueOrderId(venue_id) if venue_id is not None else None,
        created_at=NOW - age,
        updated_at=NOW - (age if touched is None else touched),
    )


def venue_order(
    venue_id: str = "v1",
    *,
    client_id: str | None = "c1",
    state: OrderState = OrderState.OPEN,
    symbol: Symbol = BTC,
    side: OrderSide = BUY,
    qty: str | Decimal | None = "1",
    filled: str | Decimal = "0",
    avg_price: str | None = None,
    created_at: datetime | None = None,
    raw_status: str | None = None,
) -> VenueOrder:
    """An order as the venue tells it."""
    return VenueOrder(
        symbol=symbol,
        side=side,
        venue_order_id=VenueOrderId(venue_id),
        client_order_id=ClientOrderId(client_id) if client_id is not None else None,
        state=state,
        raw_status=raw_status if raw_status is not None else state.value.upper(),
        qty=Decimal(qty) if qty is not None else None,
        filled=Decimal(filled),
        avg_price=Decimal(avg_price) if avg_price is not None else None,
        created_at=created_at,
    )


def fill(
    qty: str | Decimal,
    *,
    fill_id: str = "f1",
    price: str = "100",
    symbol: Symbol = BTC,
    side: OrderSide = BUY,
) -> Fill:
    """One execution of the order `v1`."""
    return Fill(
        id=fill_id,
        symbol=symbol,
        side=side,
        venue_order_id=VenueOrderId("v1"),
        client_order_id=None,
        qty=Decimal(qty),
        price=Decimal(price),
        at=NOW,
    )


def not_found(*fills: Fill) -> NotFound:
    """Every rung answered."""
    return NotFound(rungs=("venue_order_id", "client_order_id", "fills"), fills=fills)


def unanswered(kind: AnswerKind = AnswerKind.NO_ANSWER) -> Unanswered:
    """Some rung did not answer."""
    return Unanswered(failure=failure(kind))


def failure(kind: AnswerKind = AnswerKind.NO_ANSWER) -> Failure:
    """Why something was not answered."""
    return Failure(kind=kind, call="order", detail="it did not answer")


def book_position(
    side: PositionSide = LONG,
    qty: str | Decimal = "1",
    *,
    row_id: str = "b1",
    symbol: Symbol = BTC,
    profile: str = "p1",
    is_open: bool = True,
    touched: timedelta = timedelta(hours=2),
) -> BookPosition:
    """A row of the book's positions."""
    return BookPosition(
        id=BookPositionId(row_id),
        profile_id=ProfileId(profile),
        symbol=symbol,
        raw_symbol=symbol,
        side=side,
        qty=Decimal(qty),
        open=is_open,
        updated_at=NOW - touched,
    )


def venue_position(
    side: PositionSide = LONG,
    qty: str | Decimal = "1",
    *,
    symbol: Symbol = BTC,
    hedged: bool | None = False,
    mark: str | Decimal | None = "100",
    entry: str | Decimal | None = None,
) -> VenuePosition:
    """What the venue holds."""
    return VenuePosition(
        symbol=symbol,
        side=side,
        qty=Decimal(qty),
        hedged=hedged,
        entry_price=Decimal(entry) if entry is not None else None,
        mark_price=Decimal(mark) if mark is not None else None,
    )


def profile(profile_id: str = "p1", status: str = "active") -> Profile:
    """One bot configuration of the account."""
    return Profile(id=ProfileId(profile_id), account=ACCOUNT, status=status)


def reading(
    *,
    profiles: Iterable[Profile] = (),
    orders: Iterable[BookOrder] = (),
    positions: Iterable[BookPosition] = (),
    stray_positions: Iterable[BookPosition] = (),
) -> BookReading:
    """One reading of the book, at NOW."""
    return BookReading(
        book=BOOK,
        account=ACCOUNT,
        read_at=NOW,
        profiles=tuple(profiles),
        orders=tuple(orders),
        positions=tuple(positions),
        stray_positions=tuple(stray_positions),
    )


def snapshot(
    *,
    positions: Iterable[VenuePosition] = (),
    positions_scope: Completeness | None = Completeness.COMPLETE,
    step: str | None = None,
) -> Snapshot:
    """What the venue said of positions; `positions_scope` None: it has no such thing."""
    scopes = {}
    if positions_scope is not None:
        scopes[ScopeName.POSITIONS] = Scope(
            name=ScopeName.POSITIONS,
            completeness=positions_scope,
            failure=None if positions_scope is Completeness.COMPLETE else failure(),
        )
    qty_step = Decimal(step) if step is not None else None
    return Snapshot(
        account=ACCOUNT,
        taken_at=NOW,
        scopes=scopes,
        positions=tuple(positions),
        markets={s: Market(symbol=s, venue_id=s, qty_step=qty_step) for s in (BTC, ETH)},
    )
