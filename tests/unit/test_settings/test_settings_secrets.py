"""No secret is ever shown: not by settings, not by errors about them, not by tracebacks."""

import json
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.settings import ConfigurationError, Settings, load_settings

from .conftest import Load

# The mark and the length keep it from being met by chance in what is rightly shown.
SECRETS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=8, max_size=40).map(
    "§{}".format
)


def good(secret: str) -> dict[str, object]:
    """Return settings that hold `secret` wherever one may stand."""
    in_url = quote(secret, safe="")
    return {
        "database": {"url": f"postgresql://user:{in_url}@host/db"},
        "book": {
            "url": f"postgresql://host/db?user=u&password={in_url}",
            "deactivation": {
                "driver": "freqtrade_rest",
                "url": "http://bot:8080",
                "username": "u",
                "password": secret,
            },
        },
        "books": {
            "other": {
                "deactivation": {"driver": "webhook", "url": "https://bot/x", "secret": secret}
            }
        },
        "accounts": {
            "main": {
                "venue": "okx",
                "api_key": secret,
                "secret": secret,
                "password": secret,
                "private_key": secret,
                "options": {"header": secret, "nested": {"token": secret}},
            }
        },
        "notifications": {
            "urls": [f"slack://{in_url}/B/C", f"json://user:{in_url}@host/"],
            "heartbeat_url": f"https://hc.example/{in_url}",
        },
        "auth": {
            "service_role_key": secret,
            "anon_key": secret,
            "jwt_secret": secret,
            "canary": {"email": "a@b.c", "password": secret},
            "bot": {"token": secret},
        },
    }


@given(SECRETS)
def test_settings_never_show_one(secret: str) -> None:
    settings = Settings.model_validate(good(secret))
    shown = f"{settings!r} {settings} {settings.model_dump_json()}"
    shown += json.dumps(settings.describe(), ensure_ascii=False)
    assert secret not in shown
    assert quote(secret, safe="") not in shown
    assert {secret, quote(secret, safe="")} <= settings.secret_values()


def wrong(secret: str) -> list[object]:
    """Return configurations that are refused and hold `secret` where one may stand."""
    everywhere = good(secret)
    return [
        everywhere | {"mode": "neither"},
        {"database": {"url": f"mysql://user:{secret}@host/db"}},
        {"database": {"url": {"nested": secret}}},
        {"database": secret},
        {"book": {"deactivation": secret}},
        {"book": {"deactivation": {"driver": "sql", "password": secret, "secret": [secret]}}},
        {"book": {"deactivation": {"driver": "sql", "password": secret}}},
        {"book": {"deactivation": {"driver": "freqtrade_rest", "password": secret}}},
        {"book": {"deactivation": {"driver": "webhook", "url": f"http://u:{secret}@bot"}}},
        {"accounts": secret},
        {"accounts": {"main": secret}},
        {"accounts": {"main": {"venue": "okx", "api_kye": secret}}},
        {"accounts": {"main": {"venue": "okx", "api_key": [secret]}}},
        {"accounts": {"main": {"venue": "okx", "base_url": f"http://user:{secret}@host"}}},
        {"accounts": {"main": {"venue": "okx", "base_url": f"host?token={secret}://"}}},
        {"acounts": {"main": {"api_key": secret}}},
        {"notifications": {"urls": secret}},
        {"notifications": {"urls": [secret, f"slack/{secret}"]}},
        {"notifications": {"urls": {secret: secret}, "heartbeat_url": secret}},
        {"api": {"tokens": {"ann": {"hash": secret}}}},
        {"api": {"tokens": {"ann": secret}}},
        {"auth": {"jwt_secret": [secret], "canary": secret}},
    ]


@given(SECRETS)
def test_errors_never_show_one(tmp_path_factory: pytest.TempPathFactory, secret: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    environ = {"RECONCILER_SECRETS_DIR": str(folder)}
    for tables in wrong(secret):
        assert isinstance(tables, dict)
        for name, table in tables.items():
            environ[f"RECONCILER_{name.upper()}"] = json.dumps(table)
        assert_refused_without(secret, environ)
        for name in tables.keys() - {"mode"}:
            environ[f"RECONCILER_{name.upper()}"] = f"not JSON: {secret}"
        assert_refused_without(secret, environ)
        for name in tables:
            del environ[f"RECONCILER_{name.upper()}"]


def assert_refused_without(secret: str, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ=environ)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert secret not in shown
    assert json.dumps(secret) not in shown
    assert caught.value.__context__ is None


def test_toml_errors_do_not_quote_the_file(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("[accounts.main]\napi_key = s3cr3t-of-mine\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, environ={})
    assert "broken.toml:2" in str(caught.value)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_the_redactor_is_given_parts_of_addresses_but_no_common_words(load: Load) -> None:
    values = load(
        '[notifications]\nurls = ["slack://bot@T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"]\n'
        'heartbeat_url = "https://hc-ping.com/0a1b2c3d-0000-4444-8888-abcdefabcdef"\n',
        DATABASE_URL="postgresql://user:p%40ss@db.example.com/production",
    ).secret_values()
    assert {"p%40ss", "p@ss", "TIiajkdnlazkcOXrIdevi7FQ", "A1BRTD4JD"} <= values
    assert "0a1b2c3d-0000-4444-8888-abcdefabcdef" in values
    assert not values & {"", "user", "bot", "production", "db.example.com", "hc-ping.com"}


def test_nothing_secret_nothing_to_redact(load: Load) -> None:
    assert load().secret_values() == frozenset()
