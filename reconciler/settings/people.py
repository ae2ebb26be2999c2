"""Who is told, who may do what: notifications, maintenance windows, policy, API access."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from reconciler.settings.durations import Interval
from reconciler.settings.values import (
    Cron,
    Name,
    NotificationUrl,
    Notional,
    Secret,
    SecretWebUrl,
    Section,
    Text,
    WebUrl,
)

Leave = Literal["never", "operator"]
Role = Literal["viewer", "operator"]


class NotificationsSettings(Section):
    """`[notifications]`: who is told about incidents."""

    urls: tuple[NotificationUrl, ...] = ()
    """Apprise URLs, such as slack://…; each is told everything. They carry tokens."""

    heartbeat_url: SecretWebUrl | None = None
    """Dead man's switch: pinged every 30 s while every account is judged, so that silence is
    noticed outside."""


class MaintenanceWindow(Section):
    """`[[maintenance.<venue>]]`: nobody is told of its accounts while the window is open; judging
    goes on as always. At its end what still goes on is told once; what began and ended in it never
    is.
    """

    cron: Cron
    """When it opens: five cron fields, in UTC; weekdays from Sunday, 0 or 7."""

    duration: Interval
    """How long it stays open."""


class PolicySettings(Section):
    """`[policy]`: what an operator may have the daemon do at the venue. All off by default."""

    cancel_stuck_orders: Leave = "never"
    """Whether an operator's command may cancel a stuck live order: docs/policy.md."""

    cancel_max_notional: Notional | None = None
    """The most that may be left of such an order, in quote currency. None: any."""

    close_max_notional: Notional | None = None
    """The most, in quote currency, that one command may close; needed for `close_ghosts`."""

    close_ghosts: Leave = "never"
    """Whether an operator's command may close a ghost, reduce-only and capped: docs/policy.md."""

    ghost_threshold_notional: Notional | None = None
    """From this size on, in quote currency, a ghost's incident says that closing it is advised.
    None: it never does."""

    @field_validator("close_ghosts")
    @classmethod
    def _capped(cls, value: Leave, info: ValidationInfo) -> Leave:
        # Without a cap one slip could close a whole account; an invalid cap is its own error.
        if value == "operator" and info.data.get("close_max_notional", 0) is None:
            raise PydanticCustomError("setting", "needs policy.close_max_notional beside it")
        return value


def _hash(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", secret.get_secret_value()):
        raise PydanticCustomError(
            "setting",
            "expected the token's hash, `sha256:` and 64 hexadecimal digits, never the token",
        )
    return secret


class TokenSettings(Section):
    """`[api.tokens.<who>]`: one operator token."""

    hash: Annotated[Secret, AfterValidator(_hash)]
    """`sha256:` and the SHA-256 of the token in lower-case hexadecimal."""

    role: Role = "viewer"
    """`viewer` reads, `operator` also changes."""


class JwtSettings(Section):
    """`[api.jwt]`: which Supabase JWTs are let in; keys come from `[auth]`."""

    issuer: WebUrl | None = None
    """The issuer asked for. None: `<auth.supabase_url>/auth/v1`."""

    audience: Text = "authenticated"
    """The audience asked for; Supabase's own."""

    viewers: tuple[Text, ...] = ()
    """User ids (claim `sub`) that may read."""

    operators: tuple[Text, ...] = ()
    """User ids (claim `sub`) that may also change."""


class ApiSettings(Section):
    """`[api]`: who may use `/api`; with nothing here everyone is answered 401."""

    tokens: dict[Name, TokenSettings] = Field(default_factory=dict)
    """Operator tokens by the name that the audit shows."""

    jwt: JwtSettings = JwtSettings()
    """Supabase JWTs."""
