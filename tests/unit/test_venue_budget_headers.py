"""What venues say of their own count of requests, and what they only seem to say."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.venue.budget_headers import BudgetLeft, budget_left, used_weight
from reconciler.venue.description import VenueDescription
from reconciler.venue.descriptions.alpaca import ALPACA
from reconciler.venue.descriptions.binance import BINANCE
from reconciler.venue.descriptions.binanceusdm import BINANCEUSDM

NOW = datetime(2026, 11, 23, 12, 0, 40, 500_000, tzinfo=UTC)
USED = "x-mbx-used-weight-1m"


@pytest.mark.parametrize(
    ("description", "used", "share"),
    [
        (BINANCEUSDM, "600", 0.75),
        (BINANCEUSDM, "0", 1.0),
        (BINANCEUSDM, "3000", -0.25),
        (BINANCE, "600", 0.9),
    ],
)
def test_binance_counts_by_the_minute(
    description: VenueDescription, used: str, share: float
) -> None:
    left = budget_left({USED: used}, description, venue_now=NOW)
    assert left == BudgetLeft(share=share, resets_in=timedelta(seconds=19.5))
    assert used_weight({USED: used}, description) == int(used)


def _limits(limit: str, remaining: str, reset: str) -> dict[str, str]:
    return {
        "x-ratelimit-limit": limit,
        "x-ratelimit-remaining": remaining,
        "x-ratelimit-reset": reset,
    }


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("7", 7),
        (str(int(NOW.timestamp()) + 10), 9.5),
        (str(int(NOW.timestamp()) * 1000 + 10_000), 9.5),
        (str(int(NOW.timestamp()) - 100), 0),
    ],
)
def test_limits_of_the_draft(reset: str, seconds: float) -> None:
    left = budget_left(_limits("200", "50", reset), ALPACA, venue_now=NOW)
    assert left == BudgetLeft(share=0.25, resets_in=timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {USED: "600"},
        _limits("0", "0", "7"),
        _limits("many", "50", "7"),
        _limits("200", "-1", "7"),
        _limits("200", "50", "soon"),
        _limits("200", "50", "9" * 400),
        {"x-ratelimit-limit": "200", "x-ratelimit-remaining": "50"},
        {"x-ratelimit-remaining": "50", "x-ratelimit-reset": "7"},
    ],
)
def test_what_tells_nothing(said: dict[str, str]) -> None:
    assert budget_left(said, ALPACA, venue_now=NOW) is None


@pytest.mark.parametrize("used", ["-1", "1.5", "", "9" * 400])
def test_a_weight_that_is_none(used: str) -> None:
    assert budget_left({USED: used}, BINANCEUSDM, venue_now=NOW) is None
    assert used_weight({USED: used}, BINANCEUSDM) is None
