"""Why an incident most likely came about: a draft for people, with what speaks for and against.

Source: the runbook's root causes (exchange timeout, rejected exit, stale local state) and the
usual causes on the pages of docs/runbooks. A draft never decides anything: nothing acts on it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from reconciler.domain.auth_probes import AuthClass
from reconciler.domain.incidents import IncidentKind
from reconciler.domain.orders import BookOrder, OrderSide, OrderState, VenueOrder
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import AnswerKind, Failure

POSITIONS = frozenset(
    {
        IncidentKind.GHOST_POSITION,
        IncidentKind.SIDE_MISMATCH,
        IncidentKind.QUANTITY_MISMATCH,
        IncidentKind.PHANTOM_POSITION,
    }
)
MORE_AT_THE_VENUE = POSITIONS - {IncidentKind.PHANTOM_POSITION}
OUTAGES = frozenset({AnswerKind.NO_ANSWER, AnswerKind.THROTTLED})
NOT_EXITED = frozenset({OrderState.REJECTED, OrderState.CANCELED, OrderState.EXPIRED})
LONG_UNTOUCHED = timedelta(hours=1)
"""Rows of a bot that trades a symbol move more often than this."""


class Category(StrEnum):
    """The runbook's words."""

    EXCHANGE_TIMEOUT = "exchange timeout"
    REJECTED_EXIT = "rejected exit"
    STALE_LOCAL_STATE = "stale local state"
    MANUAL_TRADE = "manual trade at the venue"
    MISSED_FILL = "missed fill"
    FORGOTTEN_ORDER = "forgotten order"
    KEY_OR_SUB_ACCOUNT = "key or sub-account"
    SIGN_IN_CONFIG = "configuration of sign-in"
    SIGN_IN_INFRA = "infrastructure of sign-in"
    SIGN_IN_REGRESSION = "regression of the application's sign-in"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseFacts:
    """What evidence and tables say. Quantities in base units."""

    kind: IncidentKind
    opened_at: datetime
    reason: str | None = None
    """Of a quarantined order: `forgotten`, `never_seen`, `unidentifiable`, `by_hand`."""
    side: PositionSide | None = None
    venue_qty: Decimal | None = None
    book_qty: Decimal | None = None
    orders: tuple[BookOrder, ...] = ()
    """The book's rows of the symbol."""
    venue_orders: tuple[VenueOrder, ...] = ()
    """What the venue listed or showed of the symbol."""
    failures: tuple[Failure, ...] = ()
    fills: int = 0
    """Executions found for the order."""
    outages: tuple[str, ...] = ()
    """Incidents about reaching this venue in the hours before, each in a few words."""
    logins: tuple[str, ...] = ()
    """Incidents about the key, likewise."""
    sign_in: AuthClass | None = None
    """What the probe called it."""
    sign_in_facts: tuple[str, ...] = ()
    """What decided that."""
    others_like_it: int = 0
    """Incidents of the same kind on other accounts about the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One category, with the facts for and against it."""

    category: Category
    supports: tuple[str, ...]
    contradicts: tuple[str, ...]

    @property
    def weight(self) -> int:
        """A fact against it weighs as much as one for it."""
        return len(self.supports) - len(self.contradicts)


Fact = tuple[bool, str]
"""Whether it speaks for the cause, and what it says."""


def weigh_causes(facts: CauseFacts) -> tuple[Cause, ...]:
    """Every category that something speaks for, the likeliest first; `not known` where none has
    more for it than against it.
    """
    causes = [_cause(category, facts) for category in RULES]
    found = sorted((c for c in causes if c.supports), key=lambda c: -c.weight)
    if not found or found[0].weight <= 0:
        nothing = "no fact in the evidence speaks clearly for one cause"
        unknown = Cause(category=Category.NOT_KNOWN, supports=(nothing,), contradicts=())
        return (unknown, *found)
    return tuple(found)


def _cause(category: Category, facts: CauseFacts) -> Cause:
    said = list(RULES[category](facts))
    return Cause(
        category=category,
        supports=tuple(text for speaks_for, text in said if speaks_for),
        contradicts=tuple(text for speaks_for, text in said if not speaks_for),
    )


def _exchange_timeout(facts: CauseFacts) -> Iterator[Fact]:
    for outage in facts.outages:
        yield True, f"the venue was in trouble shortly before: {outage}"
    for failure in facts.failures:
        if failure.kind in OUTAGES:
            yield True, f"a call gave no whole answer: {failure.call}: {failure.detail}"
    for order in facts.orders:
        if order.venue_order_id is None and order.state.is_live:
            yield (
                True,
                (
                    f"order {order.id} is {order.raw_status} without a venue order id: the "
                    "venue never acknowledged it"
                ),
            )
    if facts.reason == "never_seen":
        yield True, "the venue should still know the order if it had arrived"
    if not facts.outages and not facts.failures:
        yield False, "every call of the evidence was answered, and no outage is on record"


def _rejected_exit(facts: CauseFacts) -> Iterator[Fact]:
    if facts.kind not in MORE_AT_THE_VENUE:
        return
    exits = [order for order in facts.orders if _is_exit(order, facts.side)]
    for order in exits:
        if order.state in NOT_EXITED and order.filled < order.qty:
            yield (
                True,
                (
                    f"exit order {order.id} ended {order.raw_status} with {order.filled:f} of "
                    f"{order.qty:f} filled"
                ),
            )
    if not exits:
        yield False, "the evidence has no exit order of this symbol"


def _is_exit(order: BookOrder, held: PositionSide | None) -> bool:
    if order.reduce_only or order.role in {"exit", "stop"}:
        return True
    closing = {PositionSide.LONG: OrderSide.SELL, PositionSide.SHORT: OrderSide.BUY}
    return held is not None and order.role is None and order.side is closing[held]


def _stale_local_state(facts: CauseFacts) -> Iterator[Fact]:
    match facts.kind:
        case IncidentKind.PHANTOM_POSITION:
            yield True, "the book has a position open that the venue's complete listing lacks"
        case IncidentKind.STALE_BACKLOG | IncidentKind.STUCK_ORDER:
            yield True, "the book says of orders that they are in transit, for longer than they are"
        case IncidentKind.ORDER_QUARANTINED:
            yield True, "the book had the order live long after the venue stopped to know it"
        case IncidentKind.ORPHAN_ORDER if any(o.state.is_terminal for o in facts.orders):
            yield True, "the book ended orders of this symbol, and the venue shows one live"
    touched = max((order.updated_at for order in facts.orders), default=None)
    if touched is None:
        return
    age = facts.opened_at - touched
    said = f"the book's orders of this symbol last changed {_span(age)} before"
    yield age > LONG_UNTOUCHED, said


def _manual_trade(facts: CauseFacts) -> Iterator[Fact]:
    if facts.kind not in MORE_AT_THE_VENUE | {IncidentKind.ORPHAN_ORDER}:
        return
    if not facts.orders:
        yield True, "the book has no order of this symbol in the evidence: the bot did not trade it"
    else:
        yield False, f"the book has {len(facts.orders)} orders of this symbol"
    for order in facts.venue_orders:
        if order.client_order_id is None:
            yield True, f"venue order {order.venue_order_id} carries no client order id"


def _missed_fill(facts: CauseFacts) -> Iterator[Fact]:
    if facts.kind is IncidentKind.UNAWARE_FILL:
        yield True, "the venue shows a fill that the book did not know of"
    if facts.fills:
        yield True, f"the venue has {facts.fills} executions of the order"
    if facts.kind not in POSITIONS or facts.venue_qty is None or facts.book_qty is None:
        return
    gap = abs(facts.venue_qty - facts.book_qty)
    # A fill of an exit that was missed leaves the book with more than the venue, never with less.
    entries = [o for o in facts.orders if not _is_exit(o, facts.side)]
    fitting = [o for o in entries if o.qty - o.filled == gap and gap]
    for order in fitting:
        yield True, f"order {order.id} has just as much unfilled in the book: {gap:f}"
    if facts.orders and not fitting:
        yield False, f"no entry order of the book has {gap:f} unfilled"


def _forgotten_order(facts: CauseFacts) -> Iterator[Fact]:
    if facts.kind is not IncidentKind.ORDER_QUARANTINED:
        return
    if facts.reason == "forgotten":
        yield True, "it is older than the venue keeps a cancelled order without fills"
    if facts.reason == "never_seen":
        yield False, "the venue keeps orders for longer than this one is old"
    if facts.fills:
        yield False, "the venue has executions of it"


def _sign_in(cause: AuthClass) -> Callable[[CauseFacts], Iterator[Fact]]:
    def of_class(facts: CauseFacts) -> Iterator[Fact]:
        if facts.sign_in is cause:
            yield from ((True, fact) for fact in facts.sign_in_facts)

    return of_class


def _key_or_sub_account(facts: CauseFacts) -> Iterator[Fact]:
    if facts.kind is IncidentKind.MASS_CHANGE:
        yield True, "most of the account changed at once"
    if facts.kind is IncidentKind.VENUE_AUTH:
        yield True, "the venue refuses the key"
    for login in facts.logins:
        yield True, f"the key was refused shortly before: {login}"
    if facts.others_like_it:
        yield True, f"{facts.others_like_it} other accounts had the same within the hour"
    if facts.venue_orders:
        yield False, "the venue shows orders of this symbol under this key"


RULES: dict[Category, Callable[[CauseFacts], Iterator[Fact]]] = {
    Category.REJECTED_EXIT: _rejected_exit,
    Category.MISSED_FILL: _missed_fill,
    Category.EXCHANGE_TIMEOUT: _exchange_timeout,
    Category.FORGOTTEN_ORDER: _forgotten_order,
    Category.MANUAL_TRADE: _manual_trade,
    Category.KEY_OR_SUB_ACCOUNT: _key_or_sub_account,
    Category.SIGN_IN_CONFIG: _sign_in(AuthClass.CONFIG),
    Category.SIGN_IN_INFRA: _sign_in(AuthClass.INFRA),
    Category.SIGN_IN_REGRESSION: _sign_in(AuthClass.APP_REGRESSION),
    Category.STALE_LOCAL_STATE: _stale_local_state,
}
"""In this order where two weigh the same: the more special first."""


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    hours, minutes = divmod(max(minutes, 0), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
