"""What a status word in a book means.

Sources: Alpaca's order statuses (docs.alpaca.markets, orders), ccxt's unified statuses, FIX 4.4
OrdStatus(39) and ExecType names as bots spell them, Binance's and Bybit's own words. A book's
preset can add words; a word outside is `unmapped`: reported, never taken as terminal.
"""

from collections.abc import Mapping

from reconciler.domain.orders import OrderState

_WORDS: Mapping[OrderState, tuple[str, ...]] = {
    OrderState.IN_FLIGHT: (
        "in_flight",
        "pending",
        "pending_new",
        "pending_create",
        "pending_submit",
        "pending_open",
        "initialized",
        "created",
        "submitting",
        "submitted",
        "sent",
        "sending",
        "queued",
        "received",
        "accepted_for_bidding",
        "pending_review",
    ),
    OrderState.OPEN: (
        "open",
        "new",
        "accepted",
        "active",
        "live",
        "working",
        "placed",
        "resting",
        "acknowledged",
        "untriggered",
        "triggered",
        "held",
        "stopped",
        "suspended",
        "done_for_day",
        "calculated",
        "pending_replace",
        "pending_update",
        "pending_amend",
        "pending_modify",
    ),
    OrderState.PARTIALLY_FILLED: (
        "partially_filled",
        "partiallyfilled",
        "partial",
        "partial_fill",
        "partial_filled",
        "part_filled",
    ),
    OrderState.CANCELING: (
        "canceling",
        "cancelling",
        "pending_cancel",
        "pendingcancel",
        "cancel_requested",
        "cancel_pending",
        "pending_cancellation",
        "cancel_queued",
    ),
    OrderState.FILLED: (
        "filled",
        "fully_filled",
        "closed",
        "done",
        "executed",
        "complete",
        "completed",
    ),
    OrderState.CANCELED: (
        "canceled",
        "cancelled",
        "replaced",
        "partially_filled_canceled",
        "partiallyfilledcanceled",
        "partially_canceled",
        "deactivated",
    ),
    OrderState.EXPIRED: ("expired", "expired_in_match"),
    OrderState.REJECTED: ("rejected", "failed", "denied", "error", "reject"),
    OrderState.UNKNOWN: ("unknown", "quarantined"),
}

STATUS_WORDS: Mapping[str, OrderState] = {
    word: state for state, words in _WORDS.items() for word in words
}
"""Every word known without a preset, in its normal form (see `normalise_word`)."""


def normalise_word(word: str) -> str:
    """`PendingNew`-like FIX spellings aside, words differ by case, blanks and hyphens only."""
    return word.strip().lower().replace("-", "_").replace(" ", "_")


def state_of(word: str | None, *, added: Mapping[str, OrderState] | None = None) -> OrderState:
    """The state that a book's status word means; `added` are a preset's own words, first."""
    if word is None:
        return OrderState.UNMAPPED
    key = normalise_word(word)
    if added:
        for spelling, state in added.items():
            if normalise_word(spelling) == key:
                return state
    found = STATUS_WORDS.get(key)
    return (
        found if found is not None else STATUS_WORDS.get(_camel_to_snake(word), OrderState.UNMAPPED)
    )


def _camel_to_snake(word: str) -> str:
    """`PendingCancel` → `pending_cancel` (FIX names without blanks)."""
    word = word.strip()
    parts = [
        f"_{c.lower()}" if c.isupper() and i and not word[i - 1].isupper() else c.lower()
        for i, c in enumerate(word)
    ]
    return "".join(parts).replace("-", "_").replace(" ", "_").replace("__", "_")
