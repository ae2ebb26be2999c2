"""All settings, as one frozen value."""

from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from reconciler.settings.accounts import AccountSettings
from reconciler.settings.auth import AuthSettings
from reconciler.settings.books import BookSettings
from reconciler.settings.daemon import (
    DatabaseSettings,
    HttpSettings,
    LogSettings,
    RetentionSettings,
)
from reconciler.settings.judging import (
    EscalationSettings,
    GuardsSettings,
    OrdersSettings,
    PositionsSettings,
    ScheduleSettings,
)
from reconciler.settings.people import (
    ApiSettings,
    MaintenanceWindow,
    NotificationsSettings,
    PolicySettings,
)
from reconciler.settings.redaction import secrets_within
from reconciler.settings.values import Name, Venue


class Settings(BaseSettings):
    """Everything that can be configured; `load_settings` makes it."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        # pydantic-settings turns this on; no default of ours needs it.
        validate_default=False,
    )

    mode: Literal["enforce", "observe"] = "enforce"
    """`observe` judges and records as `enforce` does, and leaves out the write to the book."""

    database: DatabaseSettings = DatabaseSettings()
    """The daemon's own database."""

    http: HttpSettings = HttpSettings()
    """Health, metrics and API."""

    log: LogSettings = LogSettings()
    """Log lines."""

    schedule: ScheduleSettings = ScheduleSettings()
    """How often each job runs."""

    orders: OrdersSettings = OrdersSettings()
    """How orders are judged."""

    positions: PositionsSettings = PositionsSettings()
    """How positions are judged."""

    guards: GuardsSettings = GuardsSettings()
    """When the reading itself is doubted."""

    escalation: EscalationSettings = EscalationSettings()
    """When a backlog becomes SEV-1."""

    book: BookSettings = BookSettings()
    """The book named `main`."""

    books: dict[Name, BookSettings] = Field(default_factory=dict)
    """Further books by name, for several bots."""

    accounts: dict[Name, AccountSettings] = Field(default_factory=dict)
    """The accounts to watch by name; may be empty here, since `migrate` needs none."""

    notifications: NotificationsSettings = NotificationsSettings()
    """Who is told."""

    maintenance: dict[Venue, tuple[MaintenanceWindow, ...]] = Field(default_factory=dict)
    """Windows without pages, by venue."""

    policy: PolicySettings = PolicySettings()
    """What an operator may have the daemon do at the venue."""

    api: ApiSettings = ApiSettings()
    """Who may use the API."""

    auth: AuthSettings = AuthSettings()
    """What the authentication probe needs."""

    retention: RetentionSettings = RetentionSettings()
    """What is kept, and how long."""

    def __init__(self, /, **values: Any) -> None:
        """Take the values as they are, and read nothing: the loader knows where each came from.

        pydantic-settings' own `__init__` would also obey keys of the file such as `_env_file` or
        `_cli_parse_args`, which are unknown here like any other.
        """
        BaseModel.__init__(self, **values)

    @field_validator("books")
    @classmethod
    def _one_main(
        cls, value: dict[str, BookSettings], info: ValidationInfo
    ) -> dict[str, BookSettings]:
        book = info.data.get("book")
        if "main" in value and book is not None and book.model_fields_set:
            raise PydanticCustomError(
                "setting",
                "give [book] or [books.main], not both: they are the same book",
                {"at": [("main",)]},
            )
        return value

    @field_validator("accounts")
    @classmethod
    def _known_books(
        cls, value: dict[str, AccountSettings], info: ValidationInfo
    ) -> dict[str, AccountSettings]:
        if not info.data.keys() >= {"book", "books"}:
            return value  # what is wrong with those is said already
        known = _books_by_name(info.data["book"], info.data["books"])
        lost = [name for name, account in value.items() if account.book not in known]
        if lost:
            raise PydanticCustomError(
                "setting",
                "expected one of the books {known}",
                {"known": ", ".join(sorted(known)), "at": [(name, "book") for name in lost]},
            )
        return value

    @property
    def all_books(self) -> dict[str, BookSettings]:
        """Every book by name; `[book]` is `main`, left out where it is empty beside `[books]`."""
        return _books_by_name(self.book, self.books)

    def secret_values(self) -> frozenset[str]:
        """Return every secret text, passwords and tokens inside URLs too, for the log redactor."""
        return frozenset(secrets_within(self))

    def describe(self) -> dict[str, Any]:
        """Return the settings in effect as plain JSON values, each secret that is set as `***`."""
        return self.model_dump(mode="json")


def _books_by_name(book: BookSettings, books: dict[str, BookSettings]) -> dict[str, BookSettings]:
    # The untouched default is no book of its own where the user named theirs.
    if books and not book.model_fields_set:
        return dict(books)
    return {"main": book, **books}
