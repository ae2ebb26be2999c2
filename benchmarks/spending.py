"""Whose processor time it is: a profile's functions by the package that they belong to."""

import cProfile
import pstats
from collections import defaultdict

PACKAGES = {
    "/ccxt/": "ccxt",
    "/aiohttp/": "HTTP, event loop",
    "/asyncio/": "HTTP, event loop",
    "/asyncpg/": "asyncpg",
    "/reconciler/venue/": "ours: venue adapter",
    "/reconciler/book/": "ours: book",
    "/reconciler/rules/": "ours: rules",
    "/reconciler/domain/": "ours: rules",
    "/reconciler/cycle/": "ours: cycle",
    "/reconciler/": "ours: the rest",
}
"""The first that a file's path holds."""
REST = "everything else"
Function = tuple[str, int, str]


def shares_of(profile: cProfile.Profile) -> dict[str, float]:
    """Per cent of the profiled time by package, largest first.

    What is of no package (builtins, generated methods, the standard library) is its callers'.
    A profile makes many small calls look dearer than they are: good to find the largest share.
    """
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    spent: dict[str, float] = defaultdict(float)
    for function, (_, _, own, _, callers) in stats.items():
        for owner, share in _owners(function, callers, stats).items():
            spent[owner] += own * share
    total = sum(spent.values()) or 1.0
    largest_first = sorted(spent.items(), key=lambda item: -item[1])
    return {name: round(100 * seconds / total, 1) for name, seconds in largest_first}


def _owners(
    function: Function,
    callers: dict[Function, tuple[int, int, float, float]],
    stats: dict[Function, tuple[int, int, float, float, dict[Function, tuple[float, ...]]]],
) -> dict[str, float]:
    """Packages, and the part of the function's own time that each called for."""
    package = _package_of(function)
    if package is not None:
        return {package: 1.0}
    total = sum(one[2] for one in callers.values())
    if not total:
        return {REST: 1.0}
    owners: dict[str, float] = defaultdict(float)
    for caller, one in callers.items():
        owners[_package_of(caller) or _caller_of(caller, stats)] += one[2] / total
    return owners


def _caller_of(
    function: Function,
    stats: dict[Function, tuple[int, int, float, float, dict[Function, tuple[float, ...]]]],
) -> str:
    """One step further up: the package that calls a library function most."""
    callers = stats[function][4] if function in stats else {}
    known = [(one[3], package) for f, one in callers.items() if (package := _package_of(f))]
    return max(known)[1] if known else REST


def _package_of(function: Function) -> str | None:
    path = function[0].replace("\\", "/")
    return next((name for part, name in PACKAGES.items() if part in path), None)
