"""Parameters of presets: quoted as SQL, whatever they hold; what lacks or is unknown is named."""

import re
from pathlib import Path
from string import ascii_letters

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.book.parameters import filled_in, identifier, literal
from reconciler.book.preset import load_preset, preset_names
from reconciler.domain.errors import BookUnreadableError
from reconciler.settings import load_settings

NASTY = [
    "plain",
    "o'brien",
    "'; drop table t; --",
    "back\\slash",
    "\\'; select 1; --",
    "\\",
    "''",
    '"quoted"',
    "a\nb",
    "$1",
    "{schema}",
    "$$ $x$",
    "ünï ✓",
    " E'x'",
    "/* */ --",
]
GIVEN = {"hummingbot_api": {"connector": "binance_perpetual"}}


@pytest.mark.parametrize("conforming", ["on", "off"])
async def test_a_literal_is_read_back_as_it_was(
    connection: "asyncpg.Connection[asyncpg.Record]", conforming: str
) -> None:
    await connection.execute(f"set standard_conforming_strings = {conforming}")
    await connection.execute("set escape_string_warning = off")
    for value in NASTY:
        assert await connection.fetchval(f"select {literal(value)}") == value


async def test_an_identifier_is_read_back_as_it_was(
    connection: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    for value in NASTY:
        [column] = (await connection.prepare(f"select 1 as {identifier(value)}")).get_attributes()
        assert column.name == value


@given(st.text(alphabet=st.characters(exclude_characters="\0"), max_size=30))
def test_no_value_leaves_its_quotes(value: str) -> None:
    inside = literal(value).removeprefix(" E")[1:-1]
    if "\\" in value:
        inside = inside.replace("\\\\", "")
    assert "'" not in inside.replace("''", "")
    assert '"' not in identifier("x" + value)[1:-1].replace('""', "")


@pytest.mark.parametrize("value", ["a\0b", "\0"])
def test_a_nul_is_refused(value: str) -> None:
    with pytest.raises(BookUnreadableError, match=r"book.parameters.profile: .*NUL"):
        load_preset("freqtrade", account="main", parameters={"profile": value})


def test_a_value_is_not_looked_through_again() -> None:
    preset = load_preset("freqtrade", account="{schema}", parameters={"profile": "{account}"})
    assert "'{schema}' as account" in preset.profiles_select
    assert "'{account}' as profile_id" in preset.orders_select


def test_braces_of_a_statement_stay() -> None:
    assert filled_in("select '{}'::jsonb, '{a,b}', {x}", {"x": "1"}) == (
        "select '{}'::jsonb, '{a,b}', 1"
    )
    own = {"profiles": {"select": "select '{account}' as id, 'x' as account, 'active' as status"}}
    assert "'{account}'" in load_preset("native", statements=own).profiles_select


@pytest.mark.parametrize(
    ("preset", "parameters", "says"),
    [
        ("freqtrade", {}, "book.parameters.account is required by freqtrade: the account that"),
        ("native", {"schema": "x"}, "schema: preset native takes none"),
        ("freqtrade", {"shema": "x"}, "shema: preset freqtrade takes account, profile, schema"),
        ("supabase", {"ended": "filled,,x"}, "book.parameters.ended: expected words with commas"),
        ("supabase", {"schema": ""}, "book.parameters.schema: expected a name"),
    ],
)
def test_what_does_not_fit_is_named(preset: str, parameters: dict[str, str], says: str) -> None:
    with pytest.raises(BookUnreadableError, match=says):
        load_preset(preset, parameters=parameters)


@pytest.mark.parametrize("hostile", ["text) or (true", "int; drop table orders", "a'b", ""])
def test_a_type_is_a_name(hostile: str) -> None:
    preset = load_preset("supabase", parameters={"status_type": hostile}) if hostile else None
    if preset is not None:
        assert f'status::"{hostile}"' in preset.orders_select
        return
    with pytest.raises(BookUnreadableError, match="status_type"):
        load_preset("supabase", parameters={"status_type": hostile})


@pytest.mark.parametrize("type_", ["text", "varchar", "character varying(20)", "bot.order_status"])
def test_a_type_is_written_as_it_is(type_: str) -> None:
    preset = load_preset("supabase", parameters={"status_type": type_})
    assert f"status::{type_} not in" in preset.orders_select


def test_words_become_literals() -> None:
    preset = load_preset("supabase", parameters={"ended": "DONE, it's over"})
    assert "not in ('DONE', 'it''s over')" in preset.orders_select


def test_the_zone_is_the_servers_unless_it_is_set() -> None:
    unset = load_preset("freqtrade", account="main").positions_select
    assert "at time zone current_setting('TimeZone')" in unset
    tokyo = load_preset("freqtrade", account="main", timezone="Asia/Tokyo").positions_select
    assert "at time zone 'Asia/Tokyo'" in tokyo
    assert "current_setting" not in tokyo


def test_an_update_can_be_taken_away() -> None:
    own: dict[str, dict[str, str | None]] = {
        "orders": {"update": "none"},
        "profiles": {"deactivate": " none ", "activate": None},
    }
    preset = load_preset("native", statements=own)
    assert (preset.orders_update, preset.profiles_deactivate) == (None, None)
    assert preset.profiles_activate is not None


@pytest.mark.parametrize("name", preset_names())
def test_every_place_of_a_preset_is_filled(name: str) -> None:
    preset = load_preset(name, account="main", parameters=GIVEN.get(name))
    statements = [
        preset.profiles_select,
        preset.profiles_deactivate,
        preset.profiles_activate,
        preset.orders_select,
        preset.orders_find,
        preset.orders_update,
        preset.positions_select,
        *preset.indexes.values(),
    ]
    letters = set(ascii_letters)
    for statement in statements:
        assert statement is None or not any(
            part[:1] in letters for part in statement.split("{")[1:]
        ), statement


PAGE = (Path(__file__).parents[2] / "docs" / "presets.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "example", re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
)
def test_every_example_of_the_page_is_a_configuration(example: str, tmp_path: Path) -> None:
    file = tmp_path / "reconciler.toml"
    file.write_text(example, encoding="utf-8")
    for name, book in load_settings(file, environ={}).all_books.items():
        if name in example or name == "main":
            load_preset(
                book.preset,
                parameters=book.parameters,
                account="main",
                timezone=str(book.timezone) if book.timezone else None,
            )
