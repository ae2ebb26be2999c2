"""The operator's numbers, as one pass needs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from reconciler.domain.identity import AccountName, BookName
from reconciler.rules.blast_radius import BlastLimits
from reconciler.rules.escalation import EscalationLimits
from reconciler.rules.ghost_positions import PositionLimits
from reconciler.rules.order_status import OrderLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Section 4 of the design for one account. Units are in the types."""

    mode: Literal["enforce", "observe", "paused"]
    """`paused` is `observe` for one account, until a person's pause ends."""
    orders: OrderLimits
    order_confirmations: int
    order_confirm_after: timedelta
    lookups_per_cycle: int
    positions: PositionLimits
    position_confirmations: int
    position_confirm_after: timedelta
    look_every: timedelta
    """Time from one look at the positions to the next, as it is kept now."""
    contain: frozenset[str]
    """Kinds of position verdicts that set profiles inactive."""
    blast: BlastLimits
    max_clock_skew: timedelta
    symbols: tuple[str, ...] | None
    """Allow-list as configured; None: all."""
    ignored_symbols: tuple[str, ...]
    ignored_order_ids: tuple[str, ...]
    client_order_id_prefix: str | None
    accounts: tuple[AccountName, ...]
    """Every account under watch, for the guard that compares accounts."""
    other_books: Mapping[AccountName, BookName] = field(default_factory=dict)
    """Accounts under watch whose book is another one."""
    ghost_threshold: Decimal | None = None
    """From this notional on a ghost's incident advises to close it; None: never."""
    escalation: EscalationLimits = field(default_factory=EscalationLimits)

    @property
    def enforces(self) -> bool:
        """False in observe and while paused: the last write is left out."""
        return self.mode == "enforce"
