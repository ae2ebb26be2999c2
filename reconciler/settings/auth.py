"""What the authentication probe needs; each step it lacks is reported as skipped."""

from datetime import timedelta

from reconciler.settings.durations import Interval
from reconciler.settings.values import Count, Secret, Section, Text, WebSocketUrl, WebUrl


class CanarySettings(Section):
    """`[auth.canary]`: a user of its own for the probe, never the bot's: sessions can exclude."""

    email: Text | None = None
    """The canary user's e-mail address."""

    password: Secret | None = None
    """The canary user's password."""


class BotSettings(Section):
    """`[auth.bot]`: the bot's own doors."""

    url: WebUrl | None = None
    """The bot's HTTP address."""

    websocket_url: WebSocketUrl | None = None
    """The bot's WebSocket address."""

    token: Secret | None = None
    """A bearer token for the bot. None: the canary's own token is used."""

    live_path: Text = "/health/live"
    """Answers 200 while the bot lives."""

    ready_path: Text = "/health/ready"
    """Answers 200 while the bot can work."""

    status_path: Text = "/api/status"
    """Answers 200 with a token."""

    trade_path: Text = "/api/trade"
    """Refuses a request without a token; asked with an empty body, so that it can trade nothing."""


class AuthSettings(Section):
    """`[auth]`: Supabase, and when its rejections are an incident."""

    supabase_url: WebUrl | None = None
    """The project's address; `SUPABASE_URL` where it is not set."""

    service_role_key: Secret | None = None
    """`SUPABASE_SERVICE_ROLE_KEY` where it is not set, else `SUPABASE_SECRET_KEY`."""

    anon_key: Secret | None = None
    """`SUPABASE_ANON_KEY` where it is not set, else `SUPABASE_PUBLISHABLE_KEY`."""

    jwt_secret: Secret | None = None
    """The legacy HS256 secret; `SUPABASE_JWT_SECRET` where it is not set."""

    jwks_url: WebUrl | None = None
    """`SUPABASE_JWKS_URL` where it is not set. None: the project's own."""

    rest_table: Text | None = None
    """A table that the service role may read, asked for no rows. None: the step is skipped."""

    timeout: Interval = timedelta(seconds=10)
    """Deadline of one request of the probe."""

    confirmations: Count = 3
    """Consecutive probes that must agree before a cause is named; counted over restarts."""

    rejections: Count = 10
    """More 401, 403 and refused handshakes than this …"""

    rejections_within: Interval = timedelta(minutes=5)
    """… within this time are an incident."""

    expiry_warning: Interval = timedelta(days=14)
    """A key that expires within this time is reported: two weeks leave a working day to rotate."""

    canary: CanarySettings = CanarySettings()
    """The probe's own user."""

    bot: BotSettings = BotSettings()
    """The bot's own doors."""
