"""Token buckets: what they grant, to whom, and that they forget."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.http.rate_limits import Buckets, Rate, address_key, retry_after


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    buckets = Buckets(Rate(per_second=2, burst=3), clock=clock)
    assert [buckets.take("a") for _ in range(4)] == [None, None, None, timedelta(seconds=0.5)]
    assert buckets.take("b") is None
    clock.now += 0.5
    assert buckets.take("a") is None
    assert buckets.take("a") is not None


@given(st.lists(st.floats(min_value=0, max_value=5), max_size=60))
def test_never_more_than_the_burst_and_the_rate(pauses: list[float]) -> None:
    clock = Clock()
    buckets = Buckets(Rate(per_second=3, burst=5), clock=clock)
    granted = 0
    for pause in pauses:
        clock.now += pause
        granted += buckets.take("a") is None
        assert granted <= 5 + 3 * clock.now + 1e-6


def test_memory_is_bounded_and_forgets_who_was_away_for_longest() -> None:
    buckets = Buckets(Rate(per_second=1, burst=1), clock=Clock(), most_keys=3)
    for key in ("a", "b", "c", "d"):
        assert buckets.take(key) is None
    assert len(buckets._levels) == 3
    assert buckets.take("d") is not None
    assert buckets.take("a") is None


def test_what_counts_as_one_address() -> None:
    assert address_key("203.0.113.7") == "203.0.113.7"
    assert address_key("::ffff:203.0.113.7") == "203.0.113.7"
    assert address_key("2001:db8:1:2:3::4") == address_key("2001:db8:1:2:ffff::1")
    assert address_key("2001:db8:1:3::1") != address_key("2001:db8:1:2::1")
    assert address_key("fe80::1%eth0") == address_key("fe80::2")
    assert (address_key(None), address_key("unix")) == ("", "unix")


def test_retry_after_is_whole_seconds_and_never_0() -> None:
    assert [retry_after(timedelta(seconds=s)) for s in (0.01, 1, 1.01)] == ["1", "1", "2"]
