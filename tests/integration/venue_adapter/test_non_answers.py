"""No answer is never "none", and never "not found"."""

import asyncio
import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.identity import (
    ClientOrderId,
    VenueOrderId,
)
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    ScopeName,
    Unanswered,
)
from reconciler.simulation.venue import (
    Fault,
    FaultKind,
    SimulatedVenue,
)
from reconciler.venue.account import CcxtAccount
from tests.integration.venue_adapter.accounts import (
    ONE,
    book_order,
    connection,
    now,
)

BROKEN: dict[str, tuple[Fault, AnswerKind]] = {
    "html_200": (Fault(kind=FaultKind.HTML_200), AnswerKind.NO_ANSWER),
    "empty": (Fault(kind=FaultKind.EMPTY_200), AnswerKind.NO_ANSWER),
    "null": (Fault(kind=FaultKind.NULL), AnswerKind.NO_ANSWER),
    "object": (Fault(kind=FaultKind.OBJECT), AnswerKind.NO_ANSWER),
    "text": (Fault(kind=FaultKind.TEXT), AnswerKind.NO_ANSWER),
    "cut_json": (Fault(kind=FaultKind.TRUNCATED_JSON), AnswerKind.NO_ANSWER),
    "cut_body": (Fault.cut_body(), AnswerKind.NO_ANSWER),
    "cut_body_without_length": (
        Fault.cut_body(content_length=False),
        AnswerKind.NO_ANSWER,
    ),
    "reset": (Fault(kind=FaultKind.RESET), AnswerKind.NO_ANSWER),
    "hang": (Fault(kind=FaultKind.HANG), AnswerKind.NO_ANSWER),
    "error_with_200": (Fault.error(-1000, "An unknown error", 200), AnswerKind.NO_ANSWER),
    "other_error": (Fault.error(-1001, "Internal error", 400), AnswerKind.NO_ANSWER),
    "clock": (
        Fault.error(-1021, "Timestamp for this request is outside of the recvWindow."),
        AnswerKind.CLOCK,
    ),
    "bad_signature": (Fault.error(-1022, "Signature is not valid."), AnswerKind.AUTH),
    "bad_key": (Fault.error(-2015, "Invalid API-key.", 401), AnswerKind.AUTH),
    "201_html": (Fault.status(201), AnswerKind.NO_ANSWER),
    "401_page": (Fault.status(401, "<html>no</html>"), AnswerKind.AUTH),
    "403": (Fault.status(403), AnswerKind.NO_ANSWER),
    "404": (Fault.status(404), AnswerKind.NO_ANSWER),
    "418": (Fault.status(418, retry_after=0), AnswerKind.THROTTLED),
    "429": (Fault.status(429, retry_after=0), AnswerKind.THROTTLED),
    "451": (Fault.status(451), AnswerKind.NO_ANSWER),
    **{
        str(code): (Fault.status(code), AnswerKind.NO_ANSWER)
        for code in (500, 502, 503, 504, 520, 523, 524, 529)
    },
    "500_with_not_found": (
        Fault.error(-2013, "Order does not exist.", 500),
        AnswerKind.NO_ANSWER,
    ),
}
SCOPES = {
    ScopeName.OPEN_ORDERS: "open_orders",
    ScopeName.TRIGGER_ORDERS: "trigger_orders",
    ScopeName.POSITIONS: "positions",
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("scope", SCOPES)
async def test_a_non_answer_fails_its_scope(
    venue: SimulatedVenue, account: CcxtAccount, scope: ScopeName, broken: str
) -> None:
    fault, kind = BROKEN[broken]
    ledger = venue.ledger()
    ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000))
    ledger.place_trigger_order("BTCUSDT", "sell", ONE, Decimal(40_000))
    ledger.set_position("ETHUSDT", "long", ONE)
    venue.faults.set(fault, SCOPES[scope])
    seen = await account.snapshot(now=now())
    broken_scope = seen.scopes[scope]
    assert broken_scope.completeness is Completeness.FAILED
    assert broken_scope.failure is not None
    assert broken_scope.failure.kind is kind
    assert "signature=" not in broken_scope.failure.detail
    others = [part for name, part in seen.scopes.items() if name is not scope]
    if kind not in {AnswerKind.AUTH, AnswerKind.THROTTLED}:
        assert all(part.completeness is Completeness.COMPLETE for part in others)


ASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "by_id": ("order", {"venue_order_id": VenueOrderId("8000000001")}),
    "by_client_id": ("order", {"client_order_id": ClientOrderId("bot-1")}),
    "trigger_by_id": (
        "trigger_order",
        {"venue_order_id": VenueOrderId("77"), "type": "stop_market"},
    ),
    "trigger_by_client_id": (
        "trigger_order",
        {"client_order_id": ClientOrderId("stop-1"), "type": "stop_market"},
    ),
    "fills": ("fills", {"venue_order_id": VenueOrderId("99")}),
    "fills_without_ids": ("fills", {}),
}


ARRAY = (Fault(kind=FaultKind.ARRAY), AnswerKind.NO_ANSWER)
ASKED_AND_BROKEN = [
    *itertools.product(ASKS, BROKEN),
    # An empty list of fills is a right answer.
    *((ask, "array") for ask, (endpoint, _) in ASKS.items() if endpoint != "fills"),
]


@pytest.mark.parametrize(("ask", "broken"), ASKED_AND_BROKEN)
async def test_a_non_answer_is_never_not_found(
    venue: SimulatedVenue, account: CcxtAccount, ask: str, broken: str
) -> None:
    endpoint, ids = ASKS[ask]
    fault, kind = {**BROKEN, "array": ARRAY}[broken]
    ledger = venue.ledger()
    ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000), client_order_id="bot-1")
    ledger.place_trigger_order(
        "BTCUSDT", "sell", ONE, Decimal(40_000), algo_id=77, client_order_id="stop-1"
    )
    venue.faults.set(fault, endpoint)
    said = await account.look_up(book_order(**ids), now=now())
    assert isinstance(said, Unanswered), said
    assert said.failure.kind is kind


@pytest.mark.parametrize("retry_after", [30])
async def test_a_throttled_venue_is_left_alone(
    venue: SimulatedVenue, account: CcxtAccount, retry_after: int
) -> None:
    venue.faults.set(Fault.status(429, retry_after=retry_after), "open_orders", times=1)
    first = await account.snapshot(now=now())
    asked = venue.requests.count()
    second = await account.snapshot(now=now())
    said = await account.look_up(book_order(venue_order_id=VenueOrderId("1")), now=now())
    assert venue.requests.count() == asked
    for seen in (first, second):
        assert {failure.kind for failure in seen.failures()} == {AnswerKind.THROTTLED}
        assert all(failure.retry_after for failure in seen.failures())
    assert isinstance(said, Unanswered)
    assert said.failure.kind is AnswerKind.THROTTLED


async def test_a_refused_key_is_asked_for_each_scope_once(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    venue.remove_account("main")
    venue.requests.clear()
    seen = await account.snapshot(now=now())
    # Rights are per endpoint: a ghost may show where orders do not.
    assert venue.requests.count() == 3
    assert {failure.kind for failure in seen.failures()} == {AnswerKind.AUTH}
    assert len(seen.failures()) == 3


async def test_connection_refused_is_no_answer(venue: SimulatedVenue) -> None:
    reading = CcxtAccount(connection(venue))
    await reading.prepare()
    await venue.stop()
    seen = await reading.snapshot(now=now())
    assert {failure.kind for failure in seen.failures()} == {AnswerKind.NO_ANSWER}
    said = await reading.look_up(book_order(venue_order_id=VenueOrderId("1")), now=now())
    assert isinstance(said, Unanswered)
    await reading.close()


async def test_a_deadline_ends_what_the_budget_would_hold_up(venue: SimulatedVenue) -> None:
    slow = connection(venue, rate_share=0.0001, scope_deadline=timedelta(milliseconds=200))
    reading = CcxtAccount(slow)
    seen = await reading.snapshot(now=now())
    failures = seen.failures()
    assert failures
    assert {failure.kind for failure in failures} == {AnswerKind.NO_ANSWER}
    await reading.close()


async def test_cancellation_passes(venue: SimulatedVenue, account: CcxtAccount) -> None:
    venue.faults.set(FaultKind.HANG, "positions")
    task = asyncio.ensure_future(account.snapshot(now=now()))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    venue.faults.clear()
    assert (await account.snapshot(now=now())).positions_are_complete()
