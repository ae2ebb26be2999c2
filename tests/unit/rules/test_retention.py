"""Rule 3: whether the venue may have forgotten an order, or should still know it."""

from datetime import timedelta

import pytest

from reconciler.rules.retention import MissingReason, reason_missing

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("age", "has_id", "retention", "reason"),
    [
        (25 * HOUR, True, 2 * HOUR, MissingReason.FORGOTTEN),
        (25 * HOUR, True, 24 * HOUR, MissingReason.FORGOTTEN),
        (24 * HOUR, True, 24 * HOUR, MissingReason.NEVER_SEEN),
        (25 * HOUR, True, 72 * HOUR, MissingReason.NEVER_SEEN),
        (25 * HOUR, True, timedelta(0), MissingReason.FORGOTTEN),
        (timedelta(days=999), True, None, MissingReason.NEVER_SEEN),
        (25 * HOUR, False, 2 * HOUR, MissingReason.UNIDENTIFIABLE),
        (25 * HOUR, False, None, MissingReason.UNIDENTIFIABLE),
    ],
)
def test_reason(
    age: timedelta, *, has_id: bool, retention: timedelta | None, reason: MissingReason
) -> None:
    assert reason_missing(age=age, has_id=has_id, retention=retention) is reason


def test_the_words_are_those_of_the_design() -> None:
    assert {reason.value for reason in MissingReason} == {
        "forgotten",
        "never_seen",
        "unidentifiable",
    }
