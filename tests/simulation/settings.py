"""The daemon's numbers in the simulation: the product's defaults, and the bounds they give."""

from datetime import timedelta
from decimal import Decimal

from reconciler.cycle.judging import Judging
from reconciler.rules.blast_radius import BlastLimits
from reconciler.rules.ghost_positions import PositionLimits
from reconciler.rules.order_status import OrderLimits
from tests.simulation.bot import MAIN

INTERVAL = 60.0
QUARANTINE_AFTER = timedelta(hours=24)
MAX_SKEW = timedelta(seconds=60)
POSITION_GRACE = 30.0
WINDOWS = 5
CONFIRMATIONS = 3
CONFIRM_AFTER = 10.0
SLOW_PASS = 10.0
"""A pass that takes longer counts as disturbed: the venue is slow."""
MOST_LAG = 14.0
SLACK = CONFIRMATIONS * SLOW_PASS + MOST_LAG
"""What the passes themselves take, and how far a replica is behind."""

TO_CONFIRM = CONFIRMATIONS * CONFIRM_AFTER + SLACK
"""From the first look that could count, to the containment: it, or one a little later, counts one,
two more follow. That look is at most an interval away from a moment without disturbance."""
TO_STOP_EXPLAINING_A_CHANGE = INTERVAL + POSITION_GRACE
"""A change of the book explains until grace after the look that saw it, which starts at most one
interval later; the next look is at the end of that grace."""
TO_STOP_EXPLAINING = INTERVAL + WINDOWS * POSITION_GRACE
"""From the difference to the end of the five windows, which begin when it is first seen."""


def judging(retention: timedelta) -> Judging:
    """The defaults of the settings, for one account."""
    return Judging(
        mode="enforce",
        orders=OrderLimits(
            stale_after=timedelta(minutes=15),
            quarantine_after=QUARANTINE_AFTER,
            grace=timedelta(seconds=60),
            retention=retention,
        ),
        order_confirmations=2,
        order_confirm_after=timedelta(seconds=30),
        lookups_per_cycle=20,
        positions=PositionLimits(
            grace=timedelta(seconds=POSITION_GRACE), tolerance_notional=Decimal(1)
        ),
        position_confirmations=CONFIRMATIONS,
        position_confirm_after=timedelta(seconds=CONFIRM_AFTER),
        look_every=timedelta(seconds=INTERVAL),
        contain=frozenset({"ghost_position", "side_mismatch"}),
        blast=BlastLimits(max_share=0.5, max_count=20),
        max_clock_skew=MAX_SKEW,
        symbols=None,
        ignored_symbols=(),
        ignored_order_ids=(),
        client_order_id_prefix="bot-",
        accounts=(MAIN,),
    )
