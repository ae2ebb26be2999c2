"""The parameters of a request, read with the refusals that Binance gives for bad ones."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl

from reconciler.simulation.venue.clock import from_milliseconds
from reconciler.simulation.venue.records import Refused

# Beyond it, arithmetic on a quantity or price would lose digits.
MOST_DIGITS = 14


class Params:
    """Names and texts as they were sent; each reader raises `Refused` on what it cannot read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    @classmethod
    def parse(cls, sent: str) -> "Params":
        """Read a query string or form body."""
        return cls(dict(parse_qsl(sent, keep_blank_values=True)))

    def text(self, name: str) -> str | None:
        """Return a text, None where it is missing or empty."""
        return self._values.get(name) or None

    def needed(self, name: str) -> str:
        """Return a text that must be there (-1102)."""
        value = self.text(name)
        if value is None:
            raise _malformed(name)
        return value

    def integer(self, name: str) -> int | None:
        """Return an integer, or None (-1102 on anything else)."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise _malformed(name) from None

    def decimal(self, name: str) -> Decimal | None:
        """Return a finite decimal, or None (-1102 on anything else)."""
        value = self.text(name)
        if value is None:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise _malformed(name) from None
        if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
            raise _malformed(name)
        return number

    def at(self, name: str) -> datetime | None:
        """Return a time sent in milliseconds, or None."""
        value = self.integer(name)
        try:
            return None if value is None else from_milliseconds(value)
        except OverflowError:
            raise _malformed(name) from None

    def flag(self, name: str) -> bool:
        """Return a boolean, false where it is missing."""
        return (self.text(name) or "").lower() == "true"

    def limit(self, *, default: int, most: int) -> int:
        """Return the row limit (-1130 beyond `most`)."""
        value = self.integer("limit")
        if value is None:
            return default
        if not 0 < value <= most:
            raise Refused(-1130, "Data sent for parameter 'limit' is not valid.")
        return value


def _malformed(name: str) -> Refused:
    return Refused(
        -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )
