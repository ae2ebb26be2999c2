"""What the daemon remembers of one account between two looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.domain.backlogs import BacklogSample
from reconciler.domain.containments import Containment
from reconciler.domain.decisions import Acceptance, Ignored, Pause
from reconciler.domain.identity import Asset, BookOrderId, Symbol
from reconciler.domain.incidents import OpenIncident
from reconciler.domain.suspicions import Suspicion


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSymbol:
    """What we remember of one symbol's open rows."""

    digest: str
    changed_at: datetime | None
    """Database clock when we saw it differ; None: never since first sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWrite:
    """A status that we wrote ourselves: it is no change by the bot, and explains nothing."""

    status: str
    written_from: datetime
    written_to: datetime
    """Database clock before and after the transaction: `updated_at` lies between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How much of one currency is a person's, and not the bot's."""

    asset: Asset
    qty: Decimal
    symbol: Symbol | None
    """A spot market by which the bot trades it; None: it never did, and is not judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Read at the start of a pass."""

    now: datetime
    """Database clock: what every age and spacing of this pass is measured by."""
    clock_skew: timedelta
    """Database minus host."""
    suspicions: Mapping[tuple[str, str], Suspicion]
    """By (kind, subject)."""
    incidents: tuple[OpenIncident, ...]
    seen: Mapping[Symbol, SeenSymbol] | None
    """None: the book of this account was never read before."""
    own_writes: Mapping[BookOrderId, OwnWrite]
    quarantined_last_hour: int
    baselines: Mapping[Asset, Baseline] | None = None
    """None: the balances of this account were never read in full before."""
    pause: Pause | None = None
    """Set while a person wants the account judged, and not acted on."""
    acceptance: Acceptance | None = None
    """A mass change that a person lets through, not used yet."""
    ignored: Ignored = field(default_factory=Ignored)
    containments: tuple[Containment, ...] = ()
    """Those that stand."""
    backlog: tuple[BacklogSample, ...] = ()
    """This account's stale orders over the last day."""
