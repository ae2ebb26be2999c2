"""The runbook: stale orders are SEV-2, and SEV-1 when the backlog lasts or keeps growing.

Source: the runbook's escalation section; DESIGN sections 4 (`[escalation]`) and 6. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.domain.backlogs import BacklogSample
from reconciler.domain.identity import AccountName, ProfileId
from reconciler.domain.incidents import Severity

RISES = 3
"""Looks in which a backlog must have risen to count as growing."""
SAMPLE_EVERY = timedelta(minutes=1)
"""While a backlog is over its limit and does not move, it is noted this often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationLimits:
    """The operator's numbers (section 4, `[escalation]`)."""

    backlog: int = 20
    backlog_for: timedelta = timedelta(minutes=15)
    growth_profiles: int = 2
    longest_gap: timedelta = timedelta(minutes=2)
    """The most that the time between two samples counts: two scheduled looks. What lies beyond is
    an outage, in which nothing was seen and nothing ages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogVerdict:
    """What one account's stale backlog means now."""

    limits: EscalationLimits
    total: int
    is_over: bool
    """More than `backlog`."""
    over_for: timedelta
    """How long it was seen to be over, without the times in which nothing was seen."""
    is_aged: bool
    """Over for longer than `backlog_for`, now or since it last was."""
    growing: tuple[ProfileId, ...]
    """This account's profiles whose backlog keeps growing."""
    growing_elsewhere: int
    """How many profiles of the book's other accounts do."""
    grows_widely: bool
    """At least `growth_profiles` at once, one of them here."""

    @property
    def severity(self) -> Severity | None:
        """None: no reason for an incident."""
        if self.grows_widely or (self.is_over and self.is_aged):
            return Severity.SEV_1
        return Severity.SEV_2 if self.is_over else None

    @property
    def reason(self) -> str:
        """For people."""
        said = [f"{self.total} stale orders (limit {self.limits.backlog})"]
        if self.is_over and self.is_aged:
            minutes = self.limits.backlog_for / timedelta(minutes=1)
            said.append(f"for more than {minutes:g} min")
        if self.grows_widely:
            count = len(self.growing) + self.growing_elsewhere
            said.append(f"the backlog keeps growing in {count} profiles at once")
        return ", ".join(said)


def judge_backlog(
    *,
    account: AccountName,
    current: Mapping[ProfileId, int],
    samples: Iterable[BacklogSample],
    elsewhere: Iterable[BacklogSample] = (),
    was_aged: bool,
    now: datetime,
    limits: EscalationLimits,
) -> BacklogVerdict:
    """What this complete look adds to the samples of before. Linear but for sorting.

    `samples`: this account's. `elsewhere`: those of the book's other accounts. `was_aged`: its
    open incident says that the backlog was over for too long, and it has not healed since.
    """
    seen = sorted([s for s in samples if s.at < now], key=_when)
    here = [
        *seen,
        *(
            BacklogSample(account=account, profile_id=profile, at=now, stale=stale)
            for profile, stale in _with_gone(current, seen).items()
        ),
    ]
    total = sum(current.values())
    is_over, over_for = total > limits.backlog, _over_for(here, limits)
    growing = _growing(here, now=now, within=limits.backlog_for)
    others = _growing(elsewhere, now=now, within=limits.backlog_for)
    count = len(growing) + len(others)
    return BacklogVerdict(
        limits=limits,
        total=total,
        is_over=is_over,
        over_for=over_for,
        is_aged=is_over and (was_aged or over_for > limits.backlog_for),
        growing=tuple(sorted(profile for _, profile in growing)),
        growing_elsewhere=len(others),
        grows_widely=bool(growing) and count >= limits.growth_profiles,
    )


def samples_to_keep(
    *,
    account: AccountName,
    current: Mapping[ProfileId, int],
    samples: Iterable[BacklogSample],
    keeps_time: bool,
    now: datetime,
) -> tuple[BacklogSample, ...]:
    """The counts that changed; where `keeps_time`, the others too once a minute. A profile that
    was never seen with a stale order has no sample.
    """
    last: dict[ProfileId, BacklogSample] = {}
    for sample in sorted(samples, key=_when):
        last[sample.profile_id] = sample

    def is_news(profile: ProfileId, stale: int) -> bool:
        before = last.get(profile)
        if before is None:
            return stale > 0
        if now <= before.at:
            return False  # the clock went back: the sample of that time stands
        if stale != before.stale:
            return True
        return keeps_time and stale > 0 and now - before.at >= SAMPLE_EVERY

    return tuple(
        BacklogSample(account=account, profile_id=profile, at=now, stale=stale)
        for profile, stale in sorted(_with_gone(current, last.values()).items())
        if is_news(profile, stale)
    )


def _with_gone(
    current: Mapping[ProfileId, int], samples: Iterable[BacklogSample]
) -> dict[ProfileId, int]:
    """A profile that the account no longer has is stale no more."""
    return {**dict.fromkeys((s.profile_id for s in samples), 0), **current}


def _when(sample: BacklogSample) -> datetime:
    return sample.at


def _over_for(samples: Iterable[BacklogSample], limits: EscalationLimits) -> timedelta:
    """How long the sum of the latest counts has been over, up to the last of these, in order."""
    latest: dict[ProfileId, int] = {}
    over_for, over_at, at = timedelta(0), None, None
    total = 0
    for sample in samples:
        if sample.at != at:
            over_for, over_at = _step(over_for, over_at, at, total, limits)
            at = sample.at
        total += sample.stale - latest.get(sample.profile_id, 0)
        latest[sample.profile_id] = sample.stale
    over_for, _ = _step(over_for, over_at, at, total, limits)
    return over_for


def _step(
    over_for: timedelta,
    over_at: datetime | None,
    at: datetime | None,
    total: int,
    limits: EscalationLimits,
) -> tuple[timedelta, datetime | None]:
    """All samples of the time `at` are counted in `total`."""
    if at is None or total <= limits.backlog:
        return timedelta(0), None
    if over_at is None:
        return timedelta(0), at
    return over_for + min(at - over_at, limits.longest_gap), at


def _growing(
    samples: Iterable[BacklogSample], *, now: datetime, within: timedelta
) -> frozenset[tuple[AccountName, ProfileId]]:
    """Profiles that rose in three looks of this window, and did not fall since the first."""
    last: dict[tuple[AccountName, ProfileId], int] = {}
    rises: dict[tuple[AccountName, ProfileId], int] = defaultdict(int)
    for sample in sorted(samples, key=_when):
        key = (sample.account, sample.profile_id)
        before = last.get(key)
        last[key] = sample.stale
        if before is None:
            continue  # first sight is no rise
        if sample.stale < before:
            rises[key] = 0
        elif sample.stale > before and now - sample.at <= within:
            rises[key] += 1
    return frozenset(key for key, count in rises.items() if count >= RISES)
