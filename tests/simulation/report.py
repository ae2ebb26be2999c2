"""What people read: progress, one table at the end, and how to replay a seed that failed."""

from collections import Counter
from collections.abc import Sequence

from tests.simulation.run import Result
from tests.simulation.trace import stamp

FALSE = frozenset({"false containment", "false quarantine", "missed ghost"})


def replay_command(result: Result) -> str:
    """The exact command that runs it again."""
    plan = result.plan
    parts = ["python -m tests.simulation", f"--hours {plan.hours:g}", f"--seed {plan.seed}"]
    if plan.pace != 1:
        parts.append(f"--pace {plan.pace:g}")
    if plan.has_rival:
        parts.append("--rival")
    if plan.removal is not None:
        parts.append(f"--without {plan.removal.name}")
    return " ".join(parts)


def failure_text(result: Result) -> str:
    """What went wrong, the last lines about it, and the way to see it again."""
    violation = result.violation
    assert violation is not None
    head = (
        f"seed {result.plan.seed}, {stamp(violation.at).strip()} of virtual time: "
        f"{violation.rule}: {violation.subject}: {violation.text}"
    )
    lines = [head, *(f"    {line}" for line in result.told), f"replay: {replay_command(result)}"]
    return "\n".join(lines)


def table(results: Sequence[Result], *, seconds: float) -> str:
    """One line a number."""
    hours = sum(r.hours for r in results)
    rules = Counter(r.violation.rule for r in results if r.violation is not None)
    mishaps: Counter[str] = Counter()
    incidents: Counter[str] = Counter()
    for result in results:
        mishaps += result.mishaps
        incidents += result.tally.incidents
    contained = sum(r.tally.contained for r in results)
    quarantined = sum(r.tally.quarantined for r in results)
    rows = [
        ("simulated hours", f"{hours:,.0f} in {len(results)} worlds"),
        ("passes", f"{sum(r.tally.passes for r in results):,}"),
        ("commits", f"{sum(r.tally.commits for r in results):,}"),
        ("ghosts that stood", f"{sum(r.ghosts for r in results):,}"),
        ("profiles contained", _judged(contained, rules, "false containment")),
        ("orders quarantined", _judged(quarantined, rules, "false quarantine")),
        (
            "order statuses written",
            _judged(sum(r.tally.synced for r in results), rules, "false order status"),
        ),
        ("missed ghosts", str(rules["missed ghost"])),
        ("incidents", _counts(incidents)),
        ("causes and faults", _counts(mishaps)),
        ("violations", _counts(rules) or "none"),
        ("speed", f"{hours / max(seconds, 1e-9) * 60:,.0f} simulated hours a minute"),
    ]
    return "\n".join(f"{name:24}{text}" for name, text in rows)


def _judged(count: int, rules: Counter[str], rule: str) -> str:
    return f"{count:,}, of them wrong: {rules[rule]}"


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in sorted(counter.items()))
