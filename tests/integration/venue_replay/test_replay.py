"""What ccxt's authors saw venues answer, and what we read of it. This is the check of a new ccxt.

Each sample is served over loopback to an unmodified ccxt as the answer of the endpoint that it is
of, and what `CcxtAccount` makes of it is held against facts that are read from its rows here.
"""

import pytest

from reconciler.domain.snapshot import Completeness
from tests.integration.venue_replay.replaying import scope_with_damage, why_not_as_sent
from tests.integration.venue_replay.samples import samples_of
from tests.integration.venue_replay.seats import LISTED, Seat, VenueReplay
from tests.integration.venue_replay.venues.every import REPLAYS

SAMPLES = [
    pytest.param(replay, seat, key, id=f"{replay.venue}-{seat.asked.name.lower()}-{key}")
    for replay in REPLAYS
    for seat in replay.seats
    for key in seat.samples
]
LISTINGS = [
    pytest.param(replay, seat, id=f"{replay.venue}-{seat.samples[0]}")
    for replay in REPLAYS
    for seat in replay.seats
    if seat.asked in LISTED and seat.within is None
]
SOURCES = sorted({replay.source for replay in REPLAYS})
UNREADABLE = {
    "binance parse_position_risk#1",
    "binance parse_trade#7",
    "bitget parse_order#8",
    "kraken parse_order#1",
    "kraken parse_order#5",
}
CUT = {
    "binance fetch_positions_risk#3",
    "gate fetch_orders_by_status#1",
    "kraken fetch_my_trades#1",
    "krakenfutures fetch_my_trades#1",
}
"""Samples that stand for more rows than they show; the rows that they show are replayed."""


@pytest.mark.parametrize(("replay", "seat", "key"), SAMPLES)
async def test_a_sample_is_read_as_its_rows_say(replay: VenueReplay, seat: Seat, key: str) -> None:
    assert not await why_not_as_sent(replay, seat, key)


@pytest.mark.parametrize(("replay", "seat"), LISTINGS)
async def test_a_row_that_cannot_be_read_is_told(replay: VenueReplay, seat: Seat) -> None:
    scope = await scope_with_damage(replay, seat, seat.samples[0])
    assert scope.completeness is Completeness.PARTIAL
    assert scope.failure is not None
    assert "1 of 2 rows cannot be read" in scope.failure.detail


@pytest.mark.parametrize("source", SOURCES)
def test_every_sample_is_replayed_or_listed_with_a_reason(source: str) -> None:
    replays = [replay for replay in REPLAYS if replay.source == source]
    used = {key for replay in replays for key in replay.used()}
    listed = [key for replay in replays for keys in replay.not_used.values() for key in keys]
    known = samples_of(source)
    assert len(listed) == len(set(listed)), "listed twice"
    assert not used & set(listed), "listed as not used, and used"
    assert (used | set(listed)) - set(known) == set(), "no such sample in this ccxt"
    assert set(known) - used - set(listed) == set(), "new in this ccxt: replay it, or say why not"


@pytest.mark.parametrize("replay", REPLAYS, ids=lambda replay: str(replay.venue))
def test_so_many_samples_are_replayed(replay: VenueReplay) -> None:
    assert len(set(replay.used())) >= replay.least


def test_what_cannot_be_read_and_what_was_cut_is_known() -> None:
    samples = [(source, sample) for source in SOURCES for sample in samples_of(source).values()]
    unreadable = {f"{source} {sample.key}" for source, sample in samples if sample.document is None}
    cut = {f"{source} {sample.key}" for source, sample in samples if sample.cuts}
    assert unreadable == UNREADABLE
    assert cut == CUT
