"""The documentation: pages are current, links lead somewhere, SQL fits, kinds have runbooks."""

import importlib.util
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from reconciler.book.preset import load_preset
from reconciler.book.statements import check_statements
from reconciler.domain.incidents import IncidentKind
from reconciler.settings import Settings, load_settings
from reconciler.settings.shape import dotted_keys
from reconciler.venue.descriptions.retention import _RETENTION

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OF_NO_KIND = {DOCS / "runbooks" / name for name in ("README.md", "daemon.md")}
RUNBOOKS = sorted(set((DOCS / "runbooks").glob("*.md")) - OF_NO_KIND)
LONGEST_RUNBOOK = 70
NOT_OPENED_YET: frozenset[IncidentKind] = frozenset()
"""Kinds that nothing in the program opens so far: a runbook of them would promise too much."""


OWN_TABLES = """
create schema app;
create table app.strategies (id serial primary key, name text, exchange_account text,
  state text, max_loss numeric);
create table app.orders (id bigserial primary key, strategy_id int, pair text, direction text,
  amount numeric, executed numeric, price numeric, average_price numeric, state text,
  cl_ord_id text, exchange_order_id text, created timestamp, changed timestamp);
create table app.positions (id serial primary key, strategy_id int, pair text,
  signed_size numeric, closed_at timestamp, changed timestamp);
"""
"""A bot with names and types of its own, as the page about connecting one assumes."""


def script(name: str) -> Any:
    found = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["configuration", "metrics"])
def test_generated_page_is_current(name: str) -> None:
    page: Callable[[], str] = script(f"generate_{name}").page
    written = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert written == page(), f"run: python docs/generate_{name}.py"


def test_configuration_page_has_every_key() -> None:
    keys = [key for key in dotted_keys(Settings) if not key.startswith("books.")]
    wanted = {key for key in keys if not any(other.startswith(f"{key}.") for other in keys)}
    wanted -= {"books", "maintenance"}  # tables of free names, shown by their own headings
    assert wanted <= keys_on_configuration_page()


def keys_on_configuration_page() -> set[str]:
    found: set[str] = set()
    table = ""
    for line in (DOCS / "configuration.md").read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## (?:`\[+(.+?)\]+`|.*)", line):
            table = heading[1] or ""
        elif row := re.match(r"\| `(\w+)` \|", line):
            found.add(f"{table}.{row[1]}".removeprefix("."))
    return found


def test_notes_speak_of_what_is_there() -> None:
    metrics = script("generate_metrics")
    keys = set(dotted_keys(Settings))
    assert script("generate_configuration").noted_keys() <= keys
    assert metrics.noted_metrics() <= metrics.metric_names()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#([\w-]+))?\)", page.read_text(encoding="utf-8"))
    for path, anchor in links:
        target = (page.parent / path).resolve()
        assert target.is_file(), f"{page.name} links to {path}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {path}#{anchor}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_kind_that_can_open_has_a_runbook() -> None:
    kinds = {kind.value.replace("_", "-") for kind in set(IncidentKind) - NOT_OPENED_YET}
    assert {runbook.stem for runbook in RUNBOOKS} == kinds
    index = (DOCS / "runbooks" / "README.md").read_text(encoding="utf-8")
    assert all(f"({runbook.name})" in index for runbook in RUNBOOKS)


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda runbook: runbook.stem)
def test_runbook_is_short_and_names_its_kind(runbook: Path) -> None:
    lines = runbook.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith(f"# {runbook.stem.replace('-', '_')}, SEV-")
    assert len(lines) < LONGEST_RUNBOOK


def test_retention_page_has_every_venue() -> None:
    page = (DOCS / "why" / "retention.md").read_text(encoding="utf-8")
    assert all(f"`{venue}`" in page for venue in _RETENTION)


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


LEAST = {
    "database": "[database]\nurl = 'postgresql://reconciler@127.0.0.1/bot'\n",
    "accounts": "[accounts.main]\nvenue = 'binanceusdm'\n",
}


def _examples() -> list[Any]:
    pages = [DOCS.parent / "README.md", *PAGES]
    return [
        pytest.param(block, id=f"{page.stem}-{number}")
        for page in pages
        for number, block in enumerate(blocks(page, "toml"))
    ]


@pytest.mark.parametrize("example", _examples())
def test_every_example_of_the_configuration_is_accepted(example: str, tmp_path: Path) -> None:
    """Typed as shown, over the least that a configuration needs."""
    text = example.replace("sha256:…", f"sha256:{'0' * 64}")
    for table, least in LEAST.items():
        if table not in tomllib.loads(text):
            text += least
    file = tmp_path / "reconciler.toml"
    file.write_text(text, encoding="utf-8")
    load_settings(file, environ={})


async def test_sql_of_runbooks_fits_the_schema(
    connection: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    pages = [*(DOCS / "runbooks").glob("*.md"), *(DOCS / "why").glob("*.md")]
    pages.append(DOCS / "getting-started.md")
    for page in pages:
        for block in blocks(page, "sql"):
            for statement in re.split(r";[ ]*(?:--.*)?(?:\n|$)", block):
                if statement.strip() not in {"", "begin", "commit"}:
                    await connection.prepare(statement)


async def test_example_of_connecting_a_bot_fits_its_tables(
    empty_database: str, tmp_path: Path
) -> None:
    page = DOCS / "connect-your-bot.md"
    example, *_ = blocks(page, "toml")
    file = tmp_path / "reconciler.toml"
    file.write_text(example, encoding="utf-8")
    book = load_settings(file, environ={}).book
    preset = load_preset(
        book.preset,
        statements={
            "profiles": book.profiles.model_dump(),
            "orders": book.orders.model_dump(),
            "positions": book.positions.model_dump(),
        },
        vocabulary=book.vocabulary,
        write=book.write,
        timezone=str(book.timezone),
    )
    connected = await asyncpg.connect(empty_database, timeout=30)
    try:
        await connected.execute(OWN_TABLES)
        await check_statements(connected, preset)
    finally:
        connected.terminate()
