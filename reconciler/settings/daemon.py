"""The process itself: its database, its port, its logs, what it keeps."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator

from reconciler.settings.durations import Interval
from reconciler.settings.values import Count, DatabaseUrl, Port, Section, Text


class DatabaseSettings(Section):
    """`[database]`: where the daemon's own schema `reconciler` lives."""

    url: DatabaseUrl | None = None
    """A postgresql:// URL; `DATABASE_URL` where it is not set. A direct address or a session
    pooler: a transaction pooler cannot deliver NOTIFY."""


class HttpSettings(Section):
    """`[http]`: health, metrics and API."""

    host: Text = "127.0.0.1"
    """The address to listen on; loopback, since what listens wider should be a decision."""

    port: Port = 8080
    """The port to listen on; 0 takes a free one."""


class LogSettings(Section):
    """`[log]`: what is written to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(lambda level: level.lower() if isinstance(level, str) else level),
    ] = "info"
    """The least severe lines that are written."""

    format: Literal["auto", "json", "pretty"] = "auto"
    """`auto` is pretty on a terminal and JSON elsewhere."""


class RetentionSettings(Section):
    """`[retention]`: what is deleted, oldest first; never what belongs to an open incident."""

    evidence: Interval = timedelta(days=90)
    """How long evidence is kept: a quarter, so that a report over one can still be checked."""

    runs: Interval = timedelta(days=30)
    """How long the record of each run is kept, there are thousands a day; delivered notices too."""

    audit: Interval = timedelta(days=365)
    """How long the record of each change to the book is kept; commands of people, timelines and
    incidents that are over, too."""

    max_megabytes: Count = 2048
    """How large evidence, runs and audit may grow together, in megabytes."""
