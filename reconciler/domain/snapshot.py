"""What one venue account said at one time, scope by scope, and what a lookup said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.domain.identity import AccountName, Symbol
from reconciler.domain.orders import Fill, VenueOrder
from reconciler.domain.positions import Market, VenueBalance, VenuePosition


class ScopeName(StrEnum):
    """The parts of an account that are listed apart."""

    POSITIONS = "positions"
    OPEN_ORDERS = "open_orders"
    TRIGGER_ORDERS = "trigger_orders"
    BALANCES = "balances"


ORDER_SCOPES = frozenset({ScopeName.OPEN_ORDERS, ScopeName.TRIGGER_ORDERS})


class Completeness(StrEnum):
    """How much of a scope was answered."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


class AnswerKind(StrEnum):
    """What an answer of the venue was, when it was not the thing asked for."""

    NO_ANSWER = "no_answer"
    """Nothing, half, garbage, an outage, an unlisted error: proves nothing."""
    THROTTLED = "throttled"
    AUTH = "auth"
    CLOCK = "clock"
    REFUSED = "refused"
    """The venue understood and said no, for a reason that is not about the thing asked for."""
    UNSUPPORTED = "unsupported"
    """The venue, or this host of it, has no such call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something was not answered."""

    kind: AnswerKind
    call: str
    detail: str
    """One line, redacted, for people."""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """How far one scope of a snapshot can be trusted."""

    name: ScopeName
    completeness: Completeness
    failure: Failure | None = None
    """Set unless complete."""
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One account at one time. A scope that is not listed does not exist at this venue."""

    account: AccountName
    taken_at: datetime
    """Database clock when the first call was made."""
    scopes: Mapping[ScopeName, Scope]
    orders: tuple[VenueOrder, ...] = ()
    positions: tuple[VenuePosition, ...] = ()
    balances: tuple[VenueBalance, ...] = ()
    """One for each currency that there is any of."""
    markets: Mapping[Symbol, Market] = field(default_factory=dict)
    """Of the symbols seen in this snapshot and of those asked for."""
    venue_clock_skew: timedelta | None = None
    """Venue minus host; None where it was not told."""
    not_covered: tuple[str, ...] = ()
    """What this account may hold that no call of ours shows, in words for people."""
    is_described: bool = True
    """False: what is covered rests on ccxt's word alone, and each limit of it is a gap."""

    def scope(self, name: ScopeName) -> Scope | None:
        """The scope of that name, None where the venue has no such thing."""
        return self.scopes.get(name)

    def orders_are_complete(self) -> bool:
        """Every order scope was answered in full: only then can an order be missing."""
        found = [scope for name, scope in self.scopes.items() if name in ORDER_SCOPES]
        return bool(found) and all(s.completeness is Completeness.COMPLETE for s in found)

    def positions_are_complete(self) -> bool:
        """The positions scope was answered in full: only then can a position be missing."""
        scope = self.scopes.get(ScopeName.POSITIONS)
        return scope is not None and scope.completeness is Completeness.COMPLETE

    def gaps(self) -> tuple[str, ...]:
        """What leaves a part of this account unjudged although the venue answers: scopes that
        are never more than partial, and the limits of a venue that nobody described.
        """
        partial = (
            f"{scope.name}: {scope.failure.detail}"
            for scope in self.scopes.values()
            if scope.completeness is Completeness.PARTIAL and scope.failure is not None
        )
        return (*partial, *(() if self.is_described else self.not_covered))

    def failures(self) -> tuple[Failure, ...]:
        """Every reason why some scope is not complete."""
        return tuple(s.failure for s in self.scopes.values() if s.failure is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A lookup that showed the order."""

    order: VenueOrder
    by: str
    """`venue_order_id` or `client_order_id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """Every rung of the ladder answered, and none knows the order (rule 2).

    `fills` are the executions since creation that carry one of the order's ids: a venue forgets
    an order sooner than its fills.
    """

    rungs: tuple[str, ...]
    fills: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Some rung gave no answer: nothing follows from this lookup."""

    failure: Failure


Lookup = Found | NotFound | Unanswered
