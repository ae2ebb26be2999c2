"""What an account consists of: orders, trigger orders, fills, positions, in Binance's words."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Refused(Exception):  # noqa: N818 - reads as what the venue did, and is an answer, not a bug
    """The venue refuses, with Binance's error code, message and HTTP status."""

    def __init__(self, code: int, message: str, *, http_status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status


class Side(StrEnum):
    """Direction of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """Return 1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class PositionSide(StrEnum):
    """Leg of a position: BOTH in one-way mode, LONG or SHORT in hedge mode."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class OrderStatus(StrEnum):
    """State of a regular order."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


class TriggerStatus(StrEnum):
    """State of a trigger ("algo") order; FINISHED when its child order ended."""

    NEW = "NEW"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


LIVE = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A regular order; quantities in base units, prices in quote currency (0: at market)."""

    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    position_side: PositionSide
    order_type: str
    time_in_force: str
    qty: Decimal
    price: Decimal
    reduce_only: bool
    status: OrderStatus
    executed_qty: Decimal = ZERO
    executed_quote: Decimal = ZERO
    parent_algo_id: int | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def is_live(self) -> bool:
        """Tell whether the order can still fill."""
        return self.status in LIVE

    @property
    def remaining(self) -> Decimal:
        """Return the quantity not filled yet, in base units."""
        return self.qty - self.executed_qty

    @property
    def average_price(self) -> Decimal:
        """Return the mean price of the fills, 0 without any."""
        return self.executed_quote / self.executed_qty if self.executed_qty else ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerOrder:
    """A conditional order, which lives at another endpoint until it becomes a regular one."""

    algo_id: int
    client_algo_id: str
    symbol: str
    side: Side
    position_side: PositionSide
    order_type: str
    qty: Decimal
    trigger_price: Decimal
    price: Decimal
    reduce_only: bool
    close_position: bool
    status: TriggerStatus
    child_order_id: int | None = None
    created_at: datetime
    updated_at: datetime
    triggered_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Tell whether the order still waits for its price."""
        return self.status is TriggerStatus.NEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of an order."""

    fill_id: int
    order_id: int
    symbol: str
    side: Side
    position_side: PositionSide
    qty: Decimal
    price: Decimal
    realized_pnl: Decimal
    commission: Decimal
    maker: bool
    filled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One leg; `qty` is signed: negative for a short, in hedge mode too, as Binance shows it."""

    symbol: str
    position_side: PositionSide
    qty: Decimal
    entry_price: Decimal
    updated_at: datetime
