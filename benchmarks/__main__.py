"""`python -m benchmarks [--only cycle] [--json] [--tiny]`: one table; exit 1 over a limit."""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from types import ModuleType

from rich.console import Console
from rich.table import Table

from benchmarks import accounts, book, cycle, steady, verdicts
from benchmarks.measuring import FULL, TINY, Measure, Size

BENCHMARKS: dict[str, ModuleType] = {
    "verdicts": verdicts,
    "cycle": cycle,
    "steady": steady,
    "accounts": accounts,
    "book": book,
}
LONG = {"book"}
"""Run by name alone: minutes go by until their rows are there."""


def main() -> None:
    """Measure, print, and say by the exit code whether every limit is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="may be repeated")
    parser.add_argument("--json", action="store_true", help="one line each, as in a pipe")
    parser.add_argument("--tiny", action="store_true", help="shows that it runs, measures nothing")
    given = parser.parse_args()
    size = TINY if given.tiny else FULL
    show = _as_lines if given.json or not sys.stdout.isatty() else _as_tables
    usual = [name for name in BENCHMARKS if given.tiny or name not in LONG]
    sys.exit(1 if asyncio.run(show(given.only or usual, size)) else 0)


async def _measures(names: list[str], size: Size) -> AsyncIterator[Measure]:
    for name in names:
        run: Callable[[Size], AsyncIterator[Measure]] = BENCHMARKS[name].run
        async for found in run(size):
            yield found


async def _as_lines(names: list[str], size: Size) -> int:
    """JSON lines as they are found; how many are over their limit."""
    over = 0
    async for found in _measures(names, size):
        over += found.is_over
        line = asdict(found) | {"ratio": found.ratio, "verdict": _verdict(found)}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    return over


async def _as_tables(names: list[str], size: Size) -> int:
    """A table for each benchmark; how many lines are over their limit."""
    console, over = Console(), 0
    console.print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f} at the start"
    )
    for name in names:
        table = Table(title=BENCHMARKS[name].QUESTION, title_justify="left")
        for column in ("case", "what"):
            table.add_column(column, overflow="fold")
        for column in ("value", "floor", "ratio", "limit", ""):
            table.add_column(column, justify="right")
        with console.status(f"measuring: {BENCHMARKS[name].QUESTION}"):
            async for found in _measures([name], size):
                over += found.is_over
                table.add_row(*_row(found), style="bold red" if found.is_over else None)
        console.print(table)
    return over


def _row(found: Measure) -> tuple[str, ...]:
    limit = ""
    if found.at_most is not None:
        limit = f"≤ {found.at_most:g}"
    if found.at_least is not None:
        limit = f"≥ {found.at_least:,.0f}"
    return (
        found.case,
        found.what,
        f"{_plain(found.value)} {found.unit}".strip(),
        "" if found.floor is None else _plain(found.floor),
        "" if found.ratio is None else f"{found.ratio:.2f}",
        limit,
        _verdict(found),
    )


def _verdict(found: Measure) -> str:
    if found.at_most is None and found.at_least is None:
        return ""
    return "over" if found.is_over else "ok"


def _plain(number: float) -> str:
    """Three digits at least."""
    whole = abs(number) >= 10**2 or number == int(number)
    return f"{number:,.0f}" if whole else f"{number:.3g}"


if __name__ == "__main__":
    main()
