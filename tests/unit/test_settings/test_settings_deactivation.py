"""`[book.deactivation]`: each driver takes its own keys, and says which."""

import pytest

from reconciler.settings.deactivation import DeactivationSettings

from .conftest import Load, Refuse

REST = 'driver = "freqtrade_rest", url = "http://127.0.0.1:8080/", username = "u"'


def given(load: Load, toml: str) -> DeactivationSettings:
    found = load(f"[book]\ndeactivation = {{ {toml} }}").book.deactivation
    assert found is not None
    return found


def test_nothing_is_the_presets_own_way(load: Load) -> None:
    assert load().book.deactivation is None


@pytest.mark.parametrize(
    "toml",
    [
        'driver = "sql"',
        f'{REST}, password = "p"',
        'driver = "freqtrade_pairlock"',
        'driver = "freqtrade_pairlock", pairs = "ghost", lock_for = "12h"',
        'driver = "webhook", url = "https://bot/hook", secret = "s"',
        (
            'driver = "webhook", url = "https://bot/hook", secret = "s", '
            'confirm_url = "https://bot/profiles/{profile_id}", inactive_statuses = ["halted"]'
        ),
    ],
)
def test_each_driver_takes_its_own_keys(load: Load, toml: str) -> None:
    assert given(load, toml).driver in toml


def test_secrets_come_from_files_and_variables(load: Load) -> None:
    toml = f"[book]\ndeactivation = {{ {REST} }}\n[books.b.deactivation]\n"
    toml += 'driver = "webhook"\nurl = "https://bot/hook"'
    settings = load(
        toml,
        files={"reconciler_book__deactivation__password": "of-a-file"},
        RECONCILER_BOOKS__B__DEACTIVATION__SECRET="of-a-variable",
    )
    assert settings.book.deactivation is not None
    assert settings.book.deactivation.password is not None
    assert settings.book.deactivation.password.get_secret_value() == "of-a-file"
    assert {"of-a-file", "of-a-variable"} <= settings.secret_values()
    assert "of-a-" not in f"{settings!r} {settings.describe()}"


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        (
            'driver = "mail"',
            (
                "deactivation.driver: given \"mail\", expected 'sql', 'freqtrade_rest', "
                "'freqtrade_pairlock' or 'webhook'"
            ),
        ),
        ('pairs = "all"', "book.deactivation.driver: missing."),
        (
            'driver = "freqtrade_rest", url = "http://bot:1"',
            'book.deactivation: driver "freqtrade_rest" needs username, password beside it',
        ),
        (
            'driver = "webhook", secret = "s"',
            'book.deactivation: driver "webhook" needs url beside it',
        ),
        (
            'driver = "sql", url = "http://bot:1"',
            'book.deactivation.url: given "http://bot:1", not for driver "sql" (accepted: driver)',
        ),
        (
            f'{REST}, password = "p", lock_for = "1d"',
            (
                'book.deactivation.lock_for: given "1d", not for driver "freqtrade_rest" '
                "(accepted: driver, url, username, password)"
            ),
        ),
        (
            'driver = "sql", user = "u"',
            "book.deactivation.user: unknown key; did you mean",
        ),
        (
            'driver = "freqtrade_rest", url = "http://u:p@bot", username = "u", password = "p"',
            "book.deactivation.url: given ***, expected a URL without user, password and query",
        ),
        (
            'driver = "freqtrade_rest", url = "http://bot", username = "a:b", password = "p"',
            'book.deactivation.username: given "a:b", expected a name without a colon',
        ),
        (
            'driver = "freqtrade_pairlock", lock_for = "0s"',
            'book.deactivation.lock_for: given "0s", expected a duration',
        ),
    ],
)
def test_what_is_refused(refuse: Refuse, toml: str, line: str) -> None:
    said = refuse(f"[book]\ndeactivation = {{ {toml} }}")
    assert any(line in each for each in said), said
