"""Errors that cross a port. Each names the thing and the mend."""

from datetime import timedelta

from reconciler.domain.snapshot import Failure


class ReconcilerError(Exception):
    """Anything that a cycle turns into an Outcome sentence."""

    retry_after: timedelta | None = None


class BookUnreadableError(ReconcilerError):
    """The bot's tables do not fit the statements: nothing is judged until they do."""


class DatabaseUnavailableError(ReconcilerError):
    """Postgres did not answer."""


class DatabaseRefusedError(DatabaseUnavailableError):
    """Postgres answered, and refused: a lock timeout, a constraint, a cancelled statement."""


class BookDatabaseUnavailableError(DatabaseUnavailableError):
    """The Postgres of one book did not serve its rows: our own tables can tell of it."""


class LeaseLostError(ReconcilerError):
    """Another daemon judges this account now: this process writes nothing more for it (rule 11)."""


class DriverFailedError(ReconcilerError):
    """The bot did not do, or did not tell, what it was asked: names the bot and the mend, and
    carries no secret.
    """


class VenueMisconfiguredError(ReconcilerError):
    """The account cannot be reached as configured (unknown venue, missing credential)."""


class VenueUnavailableError(ReconcilerError):
    """The venue did not answer what every pass needs; carries the classified failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure
        self.retry_after = failure.retry_after
