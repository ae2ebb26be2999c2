"""What the settings mean once they are read."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from reconciler.settings import Settings
from reconciler.settings.shape import dotted_keys, is_section, kind_at

from .conftest import Load

DESIGN = """
mode = "enforce"
[database]
url = "postgresql://localhost/bot"
[http]
host = "127.0.0.1"
port = 8080
[schedule]
reconciliation = "60s"
order_status_sync = "60s"
auth_probe = "60s"
[orders]
stale_after = "15m"
quarantine_after = "24h"
grace = "60s"
confirmations = 2
confirm_after = "30s"
lookups_per_cycle = 20
[positions]
grace = "30s"
confirmations = 3
confirm_after = "10s"
tolerance_notional = "1"
contain = ["ghost_position", "side_mismatch"]
[guards]
max_share = 0.5
max_count = 20
[escalation]
backlog = 20
backlog_for = "15m"
growth_profiles = 2
[accounts.main]
venue = "binanceusdm"
api_key = "k"
secret = "s"
base_url = "http://127.0.0.1:9001"
sandbox = false
symbols = ["BTC/USDT:USDT"]
client_order_id_prefix = "bot-"
ignore = { symbols = [], venue_order_ids = [] }
rate_share = 0.5
[book]
preset = "native"
[notifications]
urls = ["slack://a/b/c"]
heartbeat_url = "https://hc.example/x"
[maintenance]
okx = [{ cron = "0 3 * * 2", duration = "30m" }]
[policy]
[api]
[auth]
[retention]
"""


def test_the_designs_own_example_loads_and_shows_the_defaults(load: Load) -> None:
    settings, defaults = load(DESIGN), Settings()
    for section in ("http", "schedule", "orders", "positions", "guards", "escalation", "book"):
        assert getattr(settings, section) == getattr(defaults, section)
    main = settings.accounts["main"]
    assert main.symbols == ("BTC/USDT:USDT",)
    assert main.base_url == "http://127.0.0.1:9001"
    assert settings.maintenance["okx"][0].duration == timedelta(minutes=30)


def test_defaults() -> None:
    settings = Settings()
    assert settings.orders.stale_after == timedelta(minutes=15)
    assert settings.orders.quarantine_after == timedelta(hours=24)
    assert settings.positions.tolerance_notional == Decimal(1)
    assert settings.guards.max_clock_skew == timedelta(seconds=60)
    assert settings.policy.cancel_stuck_orders == "never"
    assert settings.policy.close_ghosts == "never"
    assert settings.accounts == {}


@pytest.mark.parametrize(("written", "amount"), [("0.1", "0.1"), ('"0.10"', "0.10"), ("0", "0")])
def test_amounts_keep_the_digits_that_were_written(load: Load, written: str, amount: str) -> None:
    toml = f"[positions]\ntolerance_notional = {written}"
    assert str(load(toml).positions.tolerance_notional) == amount


def test_grace_may_be_zero(load: Load) -> None:
    settings = load("[orders]\ngrace = 0\n[positions]\ngrace = '0s'")
    assert (settings.orders.grace, settings.positions.grace) == (timedelta(0), timedelta(0))


def test_an_order_may_be_quarantined_before_it_is_stale(load: Load) -> None:
    orders = load("[orders]\nstale_after = '1h'\nquarantine_after = '10s'").orders
    assert orders.quarantine_after == timedelta(seconds=10)


def test_the_books_of_a_time_zone_and_vocabulary(load: Load) -> None:
    book = load(
        '[book]\ntimezone = "Europe/Berlin"\nvocabulary = { done_for_day = "canceled" }\n'
        'write = { canceled = "CANCELLED" }\n[book.orders]\nfind = "SELECT 1"'
    ).book
    assert book.timezone == ZoneInfo("Europe/Berlin")
    assert book.vocabulary == {"done_for_day": "canceled"}
    assert book.write == {"canceled": "CANCELLED"}
    assert book.orders.find == "SELECT 1"


@pytest.mark.parametrize(
    ("toml", "names"),
    [
        ("", ["main"]),
        ('[book]\npreset = "supabase"', ["main"]),
        ('[books.a]\npreset = "native"', ["a"]),
        ('[books.main]\npreset = "native"\n[books.a]', ["main", "a"]),
        ('[book]\npreset = "native"\n[books.a]', ["main", "a"]),
    ],
)
def test_all_books(load: Load, toml: str, names: list[str]) -> None:
    assert list(load(toml).all_books) == names


def test_settings_do_not_change_after_loading(load: Load) -> None:
    settings = load(DESIGN)
    with pytest.raises(ValidationError):
        settings.mode = "observe"
    with pytest.raises(ValidationError):
        settings.http.port = 1


def test_nothing_is_read_behind_the_loaders_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODE", "observe")
    monkeypatch.setenv("HTTP", '{"port": 1}')
    assert (Settings().mode, Settings().http.port) == ("enforce", 8080)


def test_describe_shows_what_is_in_effect(load: Load) -> None:
    described = load(DESIGN + '[log]\nlevel = "DEBUG"').describe()
    assert described["database"] == {"url": "***"}
    assert described["accounts"]["main"]["api_key"] == "***"
    assert described["accounts"]["main"]["password"] is None
    assert described["notifications"] == {"urls": ["***"], "heartbeat_url": "***"}
    assert described["orders"]["quarantine_after"] == "1d"
    assert described["positions"]["tolerance_notional"] == "1"
    assert described["log"]["level"] == "debug"


def test_what_is_described_loads_as_the_same_settings(load: Load) -> None:
    settings = load(
        '[accounts.main]\nvenue = "okx"\nretention = "2h"\ntimeout = "1500ms"\n'
        '[book]\ntimezone = "Europe/Berlin"\n[[maintenance.okx]]\ncron = "0 3 * * 2"\n'
        'duration = "1h30m"\n[policy]\nclose_max_notional = "0.10"\nclose_ghosts = "operator"'
    )
    assert Settings.model_validate(settings.describe()) == settings


def test_options_are_shown_without_their_texts(load: Load) -> None:
    toml = '[accounts.main]\nvenue = "okx"\noptions = { a = "text", b = 5, c = true, d = ["x"] }'
    shown = load(toml).describe()["accounts"]["main"]["options"]
    assert shown == {"a": "***", "b": 5, "c": True, "d": "***"}


def test_every_key_says_what_it_means() -> None:
    silent = [key for key in dotted_keys(Settings) if "<name>" not in key and not _says(key)]
    assert silent == []


def _says(key: str) -> bool:
    *above, name = key.split(".")
    section: Any = kind_at(Settings, tuple(above))
    return bool(section.model_fields[name].description)


def test_every_section_is_strict_and_frozen() -> None:
    for key in dotted_keys(Settings):
        kind: Any = kind_at(Settings, tuple(key.split(".")))
        if is_section(kind):
            assert kind.model_config.get("extra") == "forbid", key
            assert kind.model_config.get("frozen") is True, key
