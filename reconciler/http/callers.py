"""Who calls the API, and what they may do."""

from dataclasses import dataclass

from reconciler.settings.people import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody whose token was found good."""

    name: str
    """As the audit shows it."""

    role: Role | None
    """None: known, and in no list of ours."""

    @property
    def may_change(self) -> bool:
        """Whether more than reading is allowed."""
        return self.role == "operator"


class TokenRefusedError(Exception):
    """A token that lets nobody in. The reason is for our log, never for who sent it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
