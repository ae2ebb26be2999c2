"""When a stale backlog is SEV-2, when SEV-1, and when it is over: DESIGN section 4 and 6."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.backlogs import BacklogSample
from reconciler.domain.identity import AccountName, ProfileId
from reconciler.domain.incidents import Severity
from reconciler.rules.escalation import (
    BacklogVerdict,
    EscalationLimits,
    judge_backlog,
    samples_to_keep,
)
from tests.unit.builders import ACCOUNT, NOW

LIMITS = EscalationLimits()
P1, P2 = ProfileId("p1"), ProfileId("p2")
SEV_1, SEV_2 = Severity.SEV_1, Severity.SEV_2
MINUTE = timedelta(minutes=1)


def _samples(
    counts: Mapping[float, int], profile: ProfileId = P1, account: AccountName = ACCOUNT
) -> list[BacklogSample]:
    """By minutes ago."""
    return [
        BacklogSample(account=account, profile_id=profile, at=NOW - ago * MINUTE, stale=stale)
        for ago, stale in counts.items()
    ]


def _judge(
    current: Mapping[ProfileId, int],
    samples: Iterable[BacklogSample] = (),
    *,
    elsewhere: Iterable[BacklogSample] = (),
    was_aged: bool = False,
    limits: EscalationLimits = LIMITS,
) -> BacklogVerdict:
    return judge_backlog(
        account=ACCOUNT,
        current=current,
        samples=samples,
        elsewhere=elsewhere,
        was_aged=was_aged,
        now=NOW,
        limits=limits,
    )


@pytest.mark.parametrize(
    ("count", "severity"),
    [(0, None), (20, None), (21, SEV_2), (500, SEV_2)],
)
def test_over_the_limit_is_sev_2(count: int, severity: Severity | None) -> None:
    assert _judge({P1: count}).severity is severity


def test_profiles_of_one_account_add_up() -> None:
    assert _judge({P1: 11, P2: 10}).severity is SEV_2


def _steady(count: int, minutes: int) -> list[BacklogSample]:
    return _samples(dict.fromkeys(map(float, range(minutes, 0, -1)), count))


@pytest.mark.parametrize(
    ("minutes", "severity"),
    [(1, SEV_2), (15, SEV_2), (16, SEV_1), (40, SEV_1)],
)
def test_over_for_longer_than_15_minutes_is_sev_1(minutes: int, severity: Severity) -> None:
    """For over 15 minutes: exactly 15 are not."""
    verdict = _judge({P1: 25}, _steady(25, minutes))
    assert verdict.over_for == minutes * MINUTE
    assert verdict.severity is severity


def test_a_moment_below_the_limit_starts_the_time_anew() -> None:
    samples = [*_steady(25, 30), *_samples({4.5: 20})]
    assert _judge({P1: 25}, samples).over_for == 4 * MINUTE


def test_an_outage_neither_ages_nor_resets() -> None:
    """Two hours without a complete listing count as the longest gap between two looks."""
    before = _samples({130.0: 25, 129.0: 25, 120.0: 25})
    verdict = _judge({P1: 25}, before)
    assert verdict.over_for == 1 * MINUTE + 2 * LIMITS.longest_gap


def test_what_was_over_for_too_long_stays_so_until_it_heals() -> None:
    assert _judge({P1: 25}, was_aged=True).severity is SEV_1
    assert _judge({P1: 20}, was_aged=True).severity is None


RISING = {4.0: 1, 3.0: 2, 2.0: 3}


@pytest.mark.parametrize(
    ("here", "also", "severity"),
    [
        ({4.0: 1, 3.0: 2, 2.0: 3}, {4.0: 1, 3.0: 2, 2.0: 5}, SEV_1),
        ({3.0: 2, 2.0: 3}, {4.0: 1, 3.0: 2, 2.0: 5}, None),  # two rises only, with this look
        ({4.0: 1, 3.0: 2, 2.0: 9}, {4.0: 1, 3.0: 2, 2.0: 5}, None),  # it falls now
        ({40.0: 1, 30.0: 2, 2.0: 3}, {4.0: 1, 3.0: 2, 2.0: 5}, None),  # not within 15 minutes
        ({40.0: 1, 14.0: 2, 2.0: 3}, {4.0: 1, 3.0: 2, 2.0: 5}, SEV_1),  # since the one before
    ],
)
def test_growing_in_two_profiles_at_once_is_sev_1(
    here: dict[float, int], also: dict[float, int], severity: Severity | None
) -> None:
    samples = [*_samples(here), *_samples(also, P2)]
    assert _judge({P1: 4, P2: 6}, samples).severity is severity


def test_a_look_in_which_nothing_moved_does_not_end_growth() -> None:
    samples = [*_samples({**RISING, 1.0: 4}), *_samples({**RISING, 1.0: 4}, P2)]
    assert _judge({P1: 4, P2: 4}, samples).severity is SEV_1


def test_a_fall_starts_growth_over() -> None:
    assert not _judge({P1: 3}, _samples({5.0: 1, 4.0: 2, 3.0: 3, 2.0: 2})).growing
    assert _judge({P1: 5}, _samples({5.0: 3, 4.0: 2, 3.0: 3, 2.0: 4})).growing


def test_one_growing_profile_is_not_several() -> None:
    assert _judge({P1: 4}, _samples(RISING)).severity is None
    assert _judge({P1: 4}, _samples(RISING)).growing == (P1,)


def test_the_other_profile_may_be_of_another_account() -> None:
    other = _samples({5.0: 1, 4.0: 2, 3.0: 3, 2.0: 4}, P1, AccountName("other"))
    verdict = _judge({P1: 4}, _samples(RISING), elsewhere=other)
    assert verdict.severity is SEV_1
    assert verdict.growing_elsewhere == 1
    third = [replace(s, account=AccountName("third")) for s in other]
    assert _judge({P1: 0}, elsewhere=[*other, *third]).severity is None, "none of ours grows"


def test_first_sight_is_no_rise() -> None:
    assert not _judge({P1: 3}, _samples({2.0: 1, 1.0: 2})).growing


def test_growth_may_be_asked_of_one_profile() -> None:
    alone = replace(LIMITS, growth_profiles=1)
    assert _judge({P1: 4}, _samples(RISING), limits=alone).severity is SEV_1


def _keep(
    current: Mapping[ProfileId, int], samples: Iterable[BacklogSample], *, keeps_time: bool = False
) -> list[tuple[str, int]]:
    kept = samples_to_keep(
        account=ACCOUNT, current=current, samples=samples, keeps_time=keeps_time, now=NOW
    )
    return [(s.profile_id, s.stale) for s in kept]


def test_only_what_changed_is_kept() -> None:
    assert _keep({P1: 0, P2: 0}, []) == [], "steady parity writes nothing"
    assert _keep({P1: 3, P2: 0}, []) == [("p1", 3)]
    assert _keep({P1: 3}, _samples({5.0: 3})) == []
    assert _keep({P1: 0}, _samples({5.0: 3})) == [("p1", 0)]
    assert _keep({P1: 4}, _samples({5.0: 3})) == [("p1", 4)]


def test_while_time_counts_one_a_minute_is_kept() -> None:
    assert _keep({P1: 25}, _samples({5.0: 25}), keeps_time=True) == [("p1", 25)]
    assert _keep({P1: 25}, _samples({0.5: 25}), keeps_time=True) == []
    assert _keep({P1: 0}, _samples({5.0: 0}), keeps_time=True) == []


def test_a_clock_that_went_back_keeps_nothing() -> None:
    assert _keep({P1: 9}, _samples({-1.0: 3})) == []


COUNTS = st.integers(min_value=0, max_value=60)
SERIES = st.lists(st.tuples(st.sampled_from([P1, P2]), st.integers(1, 2000), COUNTS), max_size=30)


@given(series=SERIES, current=st.dictionaries(st.sampled_from([P1, P2]), COUNTS))
def test_whatever_was_seen(
    series: list[tuple[ProfileId, int, int]], current: dict[ProfileId, int]
) -> None:
    samples = [s for p, ago, n in series for s in _samples({ago / 10: n}, p)]
    verdict = _judge(current, samples)
    total = sum(current.values())
    assert verdict.is_over == (total > LIMITS.backlog)
    assert verdict.over_for >= timedelta(0)
    assert verdict.is_over or verdict.over_for == timedelta(0)
    assert verdict == _judge(current, reversed(samples)) or len({s.at for s in samples}) < len(
        samples
    ), "the order of rows says nothing"
    if verdict.severity is SEV_1:
        assert verdict.is_over or verdict.grows_widely
    if not total:
        assert verdict.severity is None


@given(series=SERIES, outage=st.integers(2, 600))
def test_an_outage_adds_at_most_one_gap(
    series: list[tuple[ProfileId, int, int]], outage: int
) -> None:
    """All that was seen, longer ago: no more time over than one gap."""
    samples = [s for p, ago, n in series for s in _samples({ago / 10: n}, p)]
    moved = [replace(s, at=s.at - outage * MINUTE) for s in samples]
    later, sooner = _judge({P1: 30}, moved).over_for, _judge({P1: 30}, samples).over_for
    assert later <= sooner + LIMITS.longest_gap
