"""How often Python looks for cycles of garbage: seldom, as almost nothing here makes any."""

import gc

YOUNG_OBJECTS = 50_000
"""Allocations between two collections of the young. Python's 700 has a look at ten thousand orders
collect a hundred times what it is about to judge; frozen values refer to nothing that refers back,
and reference counting frees them. 50 000 values are some 10 MiB."""


def collect_less_often() -> None:
    """Set aside what is loaded already, and collect the young in larger lots. Idempotent."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
