"""A large book: the cycle's statements use indexes, or the advice that is given makes them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from benchmarks.book_rows import BOOKS, Rows
from reconciler.book import plans
from reconciler.book.plans import plan_of
from reconciler.book.preset import load_preset

OPEN, ENDED = 50, 12_000
HAVE_ALL_INDEXES = {"native"}


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.preset)
async def test_the_advice_ends_every_reading_of_a_whole_table(
    connection: "asyncpg.Connection[asyncpg.Record]", book: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "LARGE", 10_000)
    await book.furnish(connection, open_rows=OPEN, ended=ENDED)
    preset = load_preset(book.preset, parameters=book.parameters)
    found = await plan_of(connection, preset)
    advice = sorted({index for read in found for index in read.indexes})
    assert bool(advice) is (book.preset not in HAVE_ALL_INDEXES), found
    for index in advice:
        await connection.execute(index)
    await connection.execute("analyze")
    assert await plan_of(connection, preset) == []
    since = datetime.now(UTC) - timedelta(minutes=10)
    orders = await connection.fetch(preset.orders_select, since)
    assert len(orders) == OPEN


def test_the_presets_that_need_a_page_have_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "presets.md").read_text(encoding="utf-8")
    assert all(f"`{book.preset}`" in page for book in BOOKS)
