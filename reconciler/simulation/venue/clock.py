"""The clock of the simulated venue, which tests can move."""

from datetime import UTC, datetime, timedelta

NO_SHIFT = timedelta(0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class VenueClock:
    """Time as the venue's ledgers see it, and as its HTTP front tells it.

    The two are apart on purpose. `shift` ages what the ledgers hold (retention, windows) and leaves
    the request timestamp check alone, so that four days can pass in a test without every signed
    request being refused. `skew` moves what callers see: `/time`, the `Date` header, -1021.
    """

    def __init__(self) -> None:
        self._shift = NO_SHIFT
        self.skew = NO_SHIFT

    def now(self) -> datetime:
        """Return the ledgers' time, aware, UTC."""
        return datetime.now(UTC) + self._shift

    def told(self) -> datetime:
        """Return the time that the venue tells its callers, aware, UTC."""
        return datetime.now(UTC) + self.skew

    def shift(self, by: timedelta) -> None:
        """Let `by` pass in the ledgers; a negative value goes back."""
        self._shift += by


def milliseconds(at: datetime) -> int:
    """Return Binance's form of an aware time: whole milliseconds since 1970."""
    return (at - EPOCH) // MILLISECOND


def from_milliseconds(value: int) -> datetime:
    """Return the aware UTC time of a Binance timestamp.

    Raises:
        OverflowError: when it is beyond the year 9999.

    """
    return EPOCH + timedelta(milliseconds=value)


def whole_milliseconds(at: datetime) -> datetime:
    """Return `at` as the venue keeps it, so that a client who sends it back finds the record.

    Raises:
        ValueError: when `at` has no time zone.

    """
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return from_milliseconds(milliseconds(at))
