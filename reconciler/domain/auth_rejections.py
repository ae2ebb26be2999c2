"""Requests that were refused for want of rights, as bots tell of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.domain.auth_probes import TokenFacts

REFUSALS: Final = ("401", "403")
CLOSES: Final = ("1008", "4401", "4403")
"""How a WebSocket that was accepted is closed for want of rights: RFC 6455's, and the usual two."""
BOTS_SURFACES: Final[Mapping[str, tuple[str, ...]]] = {
    "bot_api": REFUSALS,
    "bot_websocket": (*REFUSALS, *CLOSES),
    "bot_supabase": REFUSALS,
    "bot_other": REFUSALS,
}
"""What a bot's words become, and the codes of each: labels come from bounded sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionRow:
    """The rows of one surface and code, as the bot calls them."""

    surface: str
    code: str
    fresh: int
    """Those that were not counted yet."""
    recent: int
    """Those of the time over which a spike is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionRows:
    """One reading."""

    rows: tuple[RejectionRow, ...] = ()
    counted_to: datetime
    """Rows up to here are counted now."""
    tokens: tuple[TokenFacts, ...] = ()
    """What the youngest say of the tokens that were refused."""
