"""Which driver a book gets, from its settings and its preset."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.book.preset import load_preset
from reconciler.deactivation import driver_of, why_doubtful
from reconciler.deactivation.webhook import Signer
from reconciler.domain.identity import BookName
from reconciler.ports import DeactivationDriver
from reconciler.settings import load_settings
from reconciler.settings.books import BookSettings
from reconciler.settings.deactivation import DeactivationSettings
from reconciler.store.connecting import Pool, open_pool

MAIN = BookName("main")
REST = {"driver": "freqtrade_rest", "username": "u", "password": "p"}


@pytest.fixture
async def pool(empty_database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(empty_database, size=1)
    yield opened
    opened.terminate()


def chosen(pool: Pool, given: dict[str, Any] | None, **preset: Any) -> DeactivationDriver | None:
    settings = BookSettings.model_validate({"deactivation": given} if given else {})
    return driver_of(MAIN, settings, pool, replace(load_preset("native"), **preset))


@pytest.mark.parametrize(
    ("given", "of_preset", "name"),
    [
        (None, None, None),
        ({"driver": "sql"}, None, None),
        ({"driver": "sql"}, "freqtrade_pairlock", None),
        (None, "freqtrade_pairlock", "freqtrade_pairlock"),
        ({"driver": "freqtrade_pairlock"}, None, "freqtrade_pairlock"),
        ({**REST, "url": "http://127.0.0.1:1"}, "freqtrade_pairlock", "freqtrade_rest"),
        ({"driver": "webhook", "url": "https://bot/hook", "secret": "s"}, None, "webhook"),
        (
            {
                "driver": "webhook",
                "url": "https://bot/hook",
                "secret": "s",
                "confirm_url": "https://bot/{profile_id}",
            },
            None,
            "webhook",
        ),
    ],
)
async def test_the_settings_win_over_the_preset(
    pool: Pool, given: dict[str, Any] | None, of_preset: str | None, name: str | None
) -> None:
    driver = chosen(pool, given, deactivation=of_preset)
    assert (driver.name if driver else None) == name


async def test_the_preset_of_freqtrade_names_its_own(pool: Pool) -> None:
    preset = load_preset("freqtrade", account="main", parameters={"schema": "bot one"})
    driver = driver_of(MAIN, BookSettings(preset="freqtrade"), pool, preset)
    assert driver is not None
    assert driver.name == "freqtrade_pairlock"
    assert preset.pairlocks == '"bot one".pairlocks'


@pytest.mark.parametrize(
    ("url", "doubtful"),
    [
        ("http://127.0.0.1:8080", False),
        ("http://[::1]:8080", False),
        ("http://localhost:8080", False),
        ("https://bot.example", False),
        ("http://bot:8080", True),
        ("http://192.0.2.7", True),
    ],
)
def test_a_login_in_clear_to_another_host_is_warned_of(url: str, doubtful: bool) -> None:
    said = why_doubtful(DeactivationSettings.model_validate({**REST, "url": url}))
    assert bool(said) is doubtful


def section_of_the_docs(language: str) -> list[str]:
    page = Path(__file__).parents[3] / "docs" / "connect-your-bot.md"
    section = page.read_text(encoding="utf-8").partition("How the daemon stops your bot")[2]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return [text for name, text in blocks if name == language]


def test_the_examples_of_the_docs_are_taken(tmp_path: Path) -> None:
    drivers = []
    for example in section_of_the_docs(""):
        file = tmp_path / "reconciler.toml"
        file.write_text(example, encoding="utf-8")
        given = load_settings(file, environ={}).book.deactivation
        assert given is not None
        drivers.append(given.driver)
    assert drivers == ["freqtrade_rest", "freqtrade_pairlock", "webhook"]


def test_the_receiver_of_the_docs_knows_our_signature() -> None:
    [example] = section_of_the_docs("python")
    written: dict[str, Any] = {}
    exec(example, written)  # noqa: S102 - our own page
    is_signed = written["is_signed"]
    headers = Signer("the-secret").headers(b"{}")
    assert is_signed(headers, b"{}", "the-secret")
    assert not is_signed(headers, b"{ }", "the-secret")
    assert not is_signed(headers, b"{}", "another")
    old = Signer("the-secret", clock=lambda: 1_000_000_000).headers(b"{}")
    assert not is_signed(old, b"{}", "the-secret")
