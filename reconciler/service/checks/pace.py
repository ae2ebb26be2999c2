"""Whether the request budgets hold the schedule."""

from reconciler.service.assembly import Assembly
from reconciler.service.checks.lines import Line
from reconciler.service.pacing import paces


def pace_lines(assembly: Assembly) -> list[Line]:
    """Of venues that could be connected."""
    return [
        Line(
            level="warn" if pace.is_stretched else "ok",
            what=f"schedule at {pace.venue}",
            says=pace.says,
            mend=pace.mend,
            topic="schedule",
        )
        for pace in paces(assembly)
        if pace.cost is not None
    ]
