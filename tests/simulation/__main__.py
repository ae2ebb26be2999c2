"""`python -m tests.simulation --hours 100 --seed 7 [--without RULE] [--trace]`."""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from tests.simulation.removals import REMOVALS
from tests.simulation.report import failure_text, table
from tests.simulation.run import Plan, Result, run_plan

WORLD_HOURS = 100.0
"""A long run is many worlds of so many hours, each of its own seed and shape."""


def main() -> int:
    """Run, tell, and exit 1 where something was wrong."""
    args = _arguments()
    base = Plan(
        seed=args.seed,
        hours=args.hours,
        pace=args.pace,
        removal=REMOVALS[args.without] if args.without else None,
        has_rival=args.rival,
        shows_trace=args.trace,
    )
    plans = _worlds(base)
    begun = time.monotonic()
    results = _run_all(plans, workers=1 if args.trace else args.workers)
    print(table(results, seconds=time.monotonic() - begun))  # noqa: T201 - a command
    failed = [r for r in results if r.violation is not None]
    for result in failed:
        print(f"\n{failure_text(result)}")  # noqa: T201
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--hours", type=float, default=WORLD_HOURS, help="simulated hours")
    parser.add_argument("--seed", type=int, default=1, help="of the first world")
    parser.add_argument("--pace", type=float, default=1.0, help="how many times as much goes wrong")
    parser.add_argument("--without", choices=sorted(REMOVALS), help="remove this rule")
    parser.add_argument("--rival", action="store_true", help="two daemons that freeze often")
    parser.add_argument("--trace", action="store_true", help="print every line of the trace")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _worlds(base: Plan) -> list[Plan]:
    """Seeds that follow one another; the last world is shorter where the hours do not divide."""
    plans, left, seed = [], base.hours, base.seed
    while left > 0:
        plans.append(replace(base, seed=seed, hours=min(left, WORLD_HOURS)))
        left, seed = left - WORLD_HOURS, seed + 1
    return plans


def _run_all(plans: list[Plan], *, workers: int) -> list[Result]:
    if workers == 1 or len(plans) == 1:
        return [_told(run_plan(plan), n, plans) for n, plan in enumerate(plans, start=1)]
    with ProcessPoolExecutor(workers) as pool:
        # Functions that replace rules do not travel between processes; their name does.
        work = [(replace(p, removal=None), p.removal and p.removal.name) for p in plans]
        done = zip(plans, pool.map(_run_by_name, work), strict=True)
        return [_told(replace(r, plan=p), n, plans) for n, (p, r) in enumerate(done, start=1)]


def _run_by_name(work: tuple[Plan, str | None]) -> Result:
    plan, without = work
    result = run_plan(replace(plan, removal=REMOVALS[without] if without else None))
    return replace(result, plan=plan)


def _told(result: Result, number: int, plans: list[Plan]) -> Result:
    if sys.stderr.isatty():
        end = "\n" if number == len(plans) else "\r"
        wrong = f", WRONG: seed {result.plan.seed}" if result.violation else ""
        print(f"{number} of {len(plans)} worlds{wrong}", end=end, file=sys.stderr, flush=True)  # noqa: T201
    return result


if __name__ == "__main__":
    sys.exit(main())
