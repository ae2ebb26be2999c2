"""The kinds of value a setting can have, beside durations."""

import re
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

HIDDEN = "***"


class Section(BaseModel):
    """A table of the configuration: unknown keys are errors, and nothing changes after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )


def _expected(accepted: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "expected {accepted}", {"accepted": accepted})


def _not_boolean(value: object) -> object:
    # Python takes True for 1; in a configuration that is a mistake.
    if isinstance(value, bool):
        raise _expected("a number")
    return value


def _not_empty(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise _expected("text that is not empty")
    return secret


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        raise _expected("a name of letters, digits, and after the first also _ . -")
    return text


def _venue(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+", text):
        raise _expected('a ccxt id: lower-case letters and digits, such as "binanceusdm"')
    return text


def _preset(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", text):
        raise _expected("the name of a preset: lower-case letters, digits, _ and -")
    return text


CRON_FIELDS = 5


def _cron(text: str) -> str:
    if len(text.split()) != CRON_FIELDS:
        raise _expected('five cron fields (minute hour day month weekday), such as "0 3 * * 2"')
    return text


def why_not_url(text: str, *, schemes: tuple[str, ...]) -> str | None:
    """Say what a URL with one of `schemes` should look like if `text` is not one."""
    accepted = f"a URL such as {schemes[0]}://host:port"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return accepted
    return None if usable and not re.search(r"\s", text) else accepted


def _open_url(*schemes: str) -> AfterValidator:
    def validate(text: str) -> str:
        if reason := why_not_url(text, schemes=schemes):
            raise _expected(reason)
        if re.search(r"[@?#]", text):
            raise _expected("a URL without user, password and query: it is shown in logs and pages")
        return text.rstrip("/")

    return AfterValidator(validate)


def _secret_web_url(secret: SecretStr) -> SecretStr:
    if reason := why_not_url(secret.get_secret_value(), schemes=("https", "http")):
        raise _expected(reason)
    return secret


def _notification_url(secret: SecretStr) -> SecretStr:
    # What follows the scheme is each service's own: Apprise judges it.
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://\S", secret.get_secret_value()):
        raise _expected("an Apprise URL, such as slack://… or json://host/path")
    return secret


def _database_url(secret: SecretStr) -> SecretStr:
    # Many bots keep SQLAlchemy's form (postgresql+asyncpg://) in the DATABASE_URL we share.
    url = re.sub(r"^(postgres(?:ql)?)\+[a-z0-9]+://", r"\1://", secret.get_secret_value())
    accepted = "a URL such as postgresql://user:password@host:5432/database"
    try:
        parts = urlsplit(url)
        port_is_usable = _ports_of(parts.netloc)
    except ValueError:
        raise _expected(accepted) from None
    if parts.scheme not in {"postgresql", "postgres"} or not port_is_usable:
        raise _expected(accepted)
    return SecretStr(url)


def _ports_of(netloc: str) -> bool:
    # libpq allows several hosts, so `urlsplit().port` would refuse a good address.
    hosts = netloc.rpartition("@")[2].split(",")
    ports = [host.rpartition("]")[2].rpartition(":") for host in hosts]
    return all(not colon or re.fullmatch(r"[0-9]{1,5}", port) for _, colon, port in ports)


def _masked_options(options: dict[str, Any]) -> dict[str, Any]:
    # Free text from the user may hold anything, so only what cannot be a secret is shown.
    return {
        key: value if value is None or isinstance(value, bool | int | float) else HIDDEN
        for key, value in options.items()
    }


_masked = PlainSerializer(lambda _: HIDDEN, return_type=str, when_used="json")

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Name = Annotated[str, AfterValidator(_name)]
Venue = Annotated[str, AfterValidator(_venue)]
Preset = Annotated[str, AfterValidator(_preset)]
Cron = Annotated[str, AfterValidator(_cron)]

Secret = Annotated[SecretStr, AfterValidator(_not_empty), _masked]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url), _masked]
NotificationUrl = Annotated[SecretStr, AfterValidator(_notification_url), _masked]
SecretWebUrl = Annotated[SecretStr, AfterValidator(_secret_web_url), _masked]

WebUrl = Annotated[str, _open_url("https", "http")]
WebSocketUrl = Annotated[str, _open_url("wss", "ws")]

Count = Annotated[int, BeforeValidator(_not_boolean), Field(ge=1)]
CountFromZero = Annotated[int, BeforeValidator(_not_boolean), Field(ge=0)]
Port = Annotated[int, BeforeValidator(_not_boolean), Field(ge=0, le=65_535)]
Share = Annotated[float, BeforeValidator(_not_boolean), Field(gt=0, le=1)]
Notional = Annotated[Decimal, BeforeValidator(_not_boolean), Field(ge=0, allow_inf_nan=False)]
"""An amount of quote currency; a TOML float is read by its decimal digits, not its binary value."""

Options = Annotated[dict[str, Any], PlainSerializer(_masked_options, when_used="json")]
