"""The benchmarks run, at a size that measures nothing: no second is asserted here."""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.measuring import Measure

ROOT = Path(__file__).parents[2]
EVERYTHING_IS_KEPT, SOMETHING_IS_OVER = 0, 1


@pytest.mark.timeout(180)
async def test_every_benchmark_runs() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks", "--tiny", "--json"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(170):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode in {EVERYTHING_IS_KEPT, SOMETHING_IS_OVER}, err.decode()
    lines = [json.loads(line) for line in out.decode().splitlines()]
    assert set(Counter(line["benchmark"] for line in lines)) == set(BENCHMARKS)
    # What is counted, not timed, holds at any size.
    counted = [line for line in lines if line["benchmark"] == "steady"]
    assert not [line for line in counted if line["verdict"] == "over"]


@pytest.mark.parametrize(
    ("value", "floor", "at_most", "at_least", "over"),
    [
        (1.0, None, None, None, False),
        (4.0, None, 3.0, None, True),
        (3.0, None, 3.0, None, False),
        (130.0, 100.0, 1.3, None, False),
        (131.0, 100.0, 1.3, None, True),
        (99.0, None, None, 100.0, True),
        (100.0, None, None, 100.0, False),
    ],
)
def test_a_limit_is_of_the_ratio_where_there_is_a_floor(
    value: float, floor: float | None, at_most: float | None, at_least: float | None, *, over: bool
) -> None:
    found = Measure(
        benchmark="b",
        case="c",
        what="w",
        value=value,
        unit="",
        floor=floor,
        at_most=at_most,
        at_least=at_least,
    )
    assert found.is_over is over
