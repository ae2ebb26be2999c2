"""Bundles are read back as they were, and a damaged one is called so, whatever is wrong with it."""

import contextlib
import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.identity import Symbol
from reconciler.domain.orders import OrderState
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import Completeness, Found, Scope, ScopeName, Snapshot
from reconciler.domain.verdicts import PositionVerdictKind
from reconciler.incidents.bundles import BundleUnreadableError, read_bundle
from reconciler.incidents.evidence import JudgedUnder, evidence_bundle
from reconciler.incidents.replaying import replay
from reconciler.rules.ghost_positions import PositionLimits, judge_positions
from reconciler.rules.order_status import OrderLimits, judge_order
from reconciler.rules.ownership import Ownership
from reconciler.store.record import to_json
from tests.unit.builders import (
    BTC,
    ETH,
    NOW,
    book_order,
    book_position,
    fill,
    not_found,
    profile,
    reading,
    snapshot,
    venue_order,
    venue_position,
)

LIMITS = PositionLimits(grace=timedelta(seconds=30), tolerance_notional=Decimal(1))
ORDERS = OrderLimits(
    stale_after=timedelta(minutes=15),
    quarantine_after=timedelta(hours=24),
    grace=timedelta(seconds=60),
    retention=timedelta(days=3),
)
UNDER = JudgedUnder(now=NOW, ownership=Ownership(symbols=frozenset({BTC, ETH})), first_seen_at=None)

LISTED = replace(
    snapshot(),
    scopes={
        ScopeName.OPEN_ORDERS: Scope(name=ScopeName.OPEN_ORDERS, completeness=Completeness.COMPLETE)
    },
)
"""Every order was listed, and there is none."""


def stored(bundle: dict[str, Any]) -> Any:
    """As it comes back from a file."""
    return json.loads(to_json(bundle))


def position_bundle(venue: Snapshot, symbol: Symbol = BTC, **book: Any) -> Any:
    read = reading(profiles=[profile()], **book)
    verdicts = judge_positions(
        reading=read,
        snapshot=venue,
        ownership=UNDER.ownership,
        changed_at={},
        first_seen={},
        now=NOW,
        limits=LIMITS,
    )
    verdict = next(v for v in verdicts if v.symbol == symbol and v.kind.is_discrepancy)
    limits = {"positions": LIMITS}
    return stored(
        evidence_bundle(
            reading=read,
            snapshot=venue,
            symbol=symbol,
            verdict=verdict,
            limits=limits,
            under=UNDER,
        )
    )


def order_bundle(lookup: Any = None) -> Any:
    row = book_order(age=timedelta(hours=30))
    found = lookup or not_found(fill("0.25"))
    verdict = judge_order(
        row=row,
        listed=None,
        why_incomplete=None,
        lookup=found,
        first_seen_at=None,
        now=NOW,
        limits=ORDERS,
    )
    return stored(
        evidence_bundle(
            reading=reading(orders=[row]),
            snapshot=LISTED,
            symbol=row.symbol,
            verdict=verdict,
            limits={"orders": ORDERS},
            lookup=found,
            under=UNDER,
        )
    )


def test_a_ghost() -> None:
    replayed = replay(position_bundle(snapshot(positions=[venue_position(qty="2")])))
    assert replayed.same
    assert replayed.then == "ghost_position BTC/USDT:USDT long: venue 2, book 0"


def test_the_mode_of_the_account_is_kept() -> None:
    """Another symbol's row says that legs do not net: without it this would be a mismatch."""
    held = snapshot(
        positions=[
            venue_position(PositionSide.LONG, "2", hedged=None),
            venue_position(PositionSide.SHORT, "1", symbol=ETH, hedged=True),
        ]
    )
    bundle = position_bundle(held, positions=[book_position(PositionSide.SHORT, "1")])
    assert replay(bundle).same
    bundle["venue"]["of_account_mode"] = []
    assert not replay(bundle).same


def test_a_row_under_another_name_still_casts_doubt() -> None:
    bundle = position_bundle(snapshot(positions=[venue_position(qty="2")]))
    odd = book_position(qty="2", symbol=Symbol("XBT-PERP"))
    bundle["book"]["positions"] = [stored({"row": _plain(odd)})["row"]]
    assert replay(bundle).now.startswith(PositionVerdictKind.NOT_JUDGED)


def _plain(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def test_an_order_that_no_endpoint_knows() -> None:
    bundle = order_bundle()
    assert replay(bundle).same
    assert replay(bundle).then == "quarantine o1: unknown, 0.25 filled (never_seen)"
    assert read_bundle(bundle).lookup == not_found(fill("0.25"))


def test_an_order_that_ended() -> None:
    ended = Found(order=venue_order(state=OrderState.CANCELED), by="venue_order_id")
    assert replay(order_bundle(ended)).then == "ended o1: canceled, 0 filled"


@pytest.mark.parametrize("data", [None, 1, "x", [], {}, {"format": 1}, {"format": 99}])
def test_what_is_no_bundle(data: Any) -> None:
    with pytest.raises(BundleUnreadableError):
        replay(data)


def test_a_verdict_about_nothing_in_particular() -> None:
    bundle = order_bundle() | {"verdict": {"why": "mass change"}}
    with pytest.raises(BundleUnreadableError, match="no verdict"):
        replay(bundle)


BUNDLES = [order_bundle(), position_bundle(snapshot(positions=[venue_position(qty="2")]))]
ODD: tuple[Any, ...] = (
    None,
    "",
    "NaN",
    "Infinity",
    "2026-01-02T12:00:00",
    1e300,
    [],
    {},
    7,
    -1.5,
    True,
    [[]],
    {"type": "Found"},
    "é",
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from paths(child, (*path, key))


@pytest.mark.parametrize("bundle", BUNDLES, ids=["order", "position"])
def test_damage_anywhere_is_told_or_changes_nothing_else(bundle: Any) -> None:
    """`replay` never raises anything but its own error, so the command never shows a traceback."""
    for path in paths(bundle):
        for odd in ODD:
            damaged = copy.deepcopy(bundle)
            place = damaged
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = odd
            with contextlib.suppress(BundleUnreadableError):
                replay(damaged)
