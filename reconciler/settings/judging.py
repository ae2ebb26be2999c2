"""When the daemon looks, and how sure it must be before it acts."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from reconciler.settings.durations import Duration, Interval
from reconciler.settings.values import Count, CountFromZero, Notional, Section, Share

PositionKind = Literal["ghost_position", "side_mismatch", "quantity_mismatch", "phantom_position"]


class ScheduleSettings(Section):
    """`[schedule]`: how often each job runs; a run that is late or still going is not doubled."""

    reconciliation: Interval = timedelta(seconds=60)
    """Time from one look at the positions to the next. A minute bounds how long a ghost can go
    unseen; each look costs the venue's rate budget (binanceusdm: 85 of 2400 a minute)."""

    order_status_sync: Interval = timedelta(seconds=60)
    """Time from one look at the orders to the next; it shares its snapshot with `reconciliation`
    where the two meet, so equal intervals cost the venue least."""

    auth_probe: Interval = timedelta(seconds=60)
    """Time from one authentication probe to the next; each costs Supabase a few requests."""


class OrdersSettings(Section):
    """`[orders]`: when an order is stale, and when it is quarantined."""

    stale_after: Interval = timedelta(minutes=15)
    """How long an order may be in flight or being cancelled before it counts as stale."""

    quarantine_after: Interval = timedelta(hours=24)
    """Age from which an order that is proven missing becomes `unknown`, by the database clock; a
    day because venues and their support answer within one."""

    grace: Duration = timedelta(seconds=60)
    """An order younger than this, or touched this recently, is not judged: the bot may be writing.
    Zero judges at once."""

    confirmations: Count = 2
    """How many independent snapshots must agree before an order is acted on; at least 1."""

    confirm_after: Duration = timedelta(seconds=30)
    """Time between two snapshots that confirm each other: past the lag of most venues' listings."""

    lookups_per_cycle: Count = 20
    """Targeted lookups per account and cycle, the least recently tried first; bounds what a large
    backlog costs of the venue's budget."""


class PositionsSettings(Section):
    """`[positions]`: when a difference between two positions is real, and which are contained."""

    grace: Duration = timedelta(seconds=30)
    """A book row that changed this recently explains a difference until the window ends.
    Zero judges at once."""

    confirmations: Count = 3
    """How many independent snapshots must agree before a profile is contained; also how many
    must show parity before it can be re-enabled. At least 1."""

    confirm_after: Duration = timedelta(seconds=10)
    """A suspicion is looked at again this soon, not a whole interval later: with three
    confirmations a ghost is contained 20 s after it is first seen."""

    tolerance_notional: Notional = Decimal(1)
    """Differences worth up to this much, in quote currency, are dust. A number or its text."""

    contain: tuple[PositionKind, ...] = ("ghost_position", "side_mismatch")
    """The kinds that set a profile inactive; the others are reported only. The default holds what
    the bot cannot be managing: it does not know the position, or has it the wrong way round."""


class GuardsSettings(Section):
    """`[guards]`: when so much is wrong at once that the reading itself is doubted."""

    max_share: Share = 0.5
    """More than this share of an account's live rows missing, above 0 and at most 1 …"""

    max_count: CountFromZero = 20
    """… and more than this many: nothing is quarantined, `mass_change` is raised instead."""

    max_clock_skew: Interval = timedelta(seconds=60)
    """Past this difference between host, database and venue clocks, decisions by age stop. Small
    beside the shortest age that decides anything (`stale_after`), large beside network jitter."""


class EscalationSettings(Section):
    """`[escalation]`: when the backlog of stale orders becomes SEV-1."""

    backlog: Count = 20
    """More stale orders than this …"""

    backlog_for: Interval = timedelta(minutes=15)
    """… for this long; also the time in which growth is looked for."""

    growth_profiles: Count = 2
    """Backlog risen in each of three looks within `backlog_for`, in this many profiles at once."""
