"""What the doctor hears of a driver."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A bot that answered, so that it could be asked to stop."""

    says: str
    mend: str = ""
    """Not empty: something is doubtful all the same."""
