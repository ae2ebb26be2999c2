"""What people decided about an account, as a pass must know it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Judged, and not acted on."""

    paused_by: str
    until: datetime | None
    """Database clock; None: until someone resumes it."""

    @property
    def sentence(self) -> str:
        """For people."""
        end = (
            f"until {self.until:%Y-%m-%d %H:%M %Z}" if self.until is not None else "without an end"
        )
        return f"paused by {self.paused_by} {end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """A held mass change that a person lets through once."""

    id: int
    accepted_by: str
    accepted_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Manual positions and orders that are known, beside those of the configuration."""

    symbols: tuple[str, ...] = ()
    venue_order_ids: tuple[str, ...] = ()
