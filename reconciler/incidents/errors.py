"""What an operation of the desk answers where it cannot be done: one set for both surfaces."""

from reconciler.domain.errors import ReconcilerError


class DeskError(ReconcilerError):
    """A person asked for what cannot be done; nothing was changed."""


class NotFoundError(DeskError):
    """Nothing has that name (HTTP 404; exit 1)."""


class RefusedError(DeskError):
    """It may not be done now; `reasons` says what is in the way, each in one line (409; exit 1)."""

    def __init__(self, reasons: tuple[str, ...] | str) -> None:
        self.reasons = (reasons,) if isinstance(reasons, str) else reasons
        super().__init__("; ".join(self.reasons))


class UsageError(DeskError):
    """The words of the request make no sense (HTTP 422; exit 2)."""
