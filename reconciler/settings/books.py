"""Where the bot's tables are, and how they are read and written."""

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from reconciler.settings.deactivation import DeactivationSettings
from reconciler.settings.values import DatabaseUrl, Preset, Section, Text

OrderState = Literal[
    "in_flight",
    "open",
    "partially_filled",
    "canceling",
    "filled",
    "canceled",
    "expired",
    "rejected",
    "unknown",
]


class ProfileStatements(Section):
    """`[book.profiles]`: statements that replace the preset's; see the book reference."""

    select: Text | None = None
    """Returns `id`, `account`, `status`; optional `name`, `risk_limit`."""

    deactivate: Text | None = None
    """Takes ids; sets inactive where still active, returning `id`."""

    activate: Text | None = None
    """Takes ids and statuses to return to; only where inactive, returning `id`."""


class OrderStatements(Section):
    """`[book.orders]`: statements that replace the preset's; see the book reference."""

    select: Text | None = None
    """Takes a time; returns every order that is not terminal, and any changed since."""

    find: Text | None = None
    """Takes venue order ids and client order ids; returns those orders, whatever their status."""

    update: Text | None = None
    """Takes ids, statuses seen, new statuses, filled, average price; returns `id`."""


class PositionStatements(Section):
    """`[book.positions]`: the statement that replaces the preset's; see the book reference."""

    select: Text | None = None
    """Takes a time; returns open positions, and any changed since."""


class AuthStatements(Section):
    """`[book.auth]`: what the bot's own tables say of sign-in; see the book reference."""

    rejections: Text | None = None
    """Takes a time; returns `at`, `code`, `surface` of each refused request since, and may return
    `claims`. None: the preset's, where it has one."""


class BookSettings(Section):
    """`[book]` (the book named `main`) or `[books.<name>]`: one bot's Postgres."""

    preset: Preset = "native"
    """The statements to start from; `native` is the schema that `migrate --with-native-book`
    creates."""

    url: DatabaseUrl | None = None
    """The bot's database. None: the daemon's own `database.url`, where one transaction spans the
    change to the book and its record."""

    timezone: ZoneInfo | None = None
    """IANA name of the zone of the book's timestamps where they carry none. None: such
    timestamps are refused."""

    parameters: dict[Text, Text] = Field(default_factory=dict)
    """What the preset has to be told: literals, words with commas between, names of tables and
    columns. Each preset takes its own; see the page on presets."""

    vocabulary: dict[Text, OrderState] = Field(default_factory=dict)
    """Words that the book uses for an order's status, beside the known ones, and what they mean."""

    write: dict[OrderState, Text] = Field(default_factory=dict)
    """The word to write back for a state, where it differs from the preset's."""

    profiles: ProfileStatements = ProfileStatements()
    """Own statements for profiles."""

    orders: OrderStatements = OrderStatements()
    """Own statements for orders."""

    positions: PositionStatements = PositionStatements()
    """Own statement for positions."""

    deactivation: DeactivationSettings | None = None
    """How a profile is deactivated. None: as the preset says, mostly by its own UPDATE."""

    auth: AuthStatements = AuthStatements()
    """Own statement for refused requests."""
