"""How work grows with its size: a ratio of processor times, never seconds."""

import gc
import time
from collections.abc import Callable

SMALL, LARGE = 20_000, 40_000


def growth(make: Callable[[int], Callable[[], object]]) -> float:
    """Time of LARGE over time of SMALL: about 2 where the work is linear, 4 where quadratic.

    `make` prepares work of a size; only the work is timed, the best of some rounds.
    """
    work = {size: make(size) for size in (SMALL, LARGE)}
    best = dict.fromkeys(work, float("inf"))
    gc.collect()
    gc.disable()  # collections grow with everything else that is alive
    try:
        for _ in range(5):
            for size, run in work.items():
                started = time.process_time()
                run()
                best[size] = min(best[size], time.process_time() - started)
    finally:
        gc.enable()
    return best[LARGE] / best[SMALL]
