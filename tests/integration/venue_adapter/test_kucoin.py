"""What is particular to KuCoin: kinds of account, parts that are not opened, its error codes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    Found,
    NotFound,
    ScopeName,
    Snapshot,
    Unanswered,
)
from reconciler.venue.account import CcxtAccount
from reconciler.venue.shared_connection import SharedConnections
from tests.integration.venue_adapter.accounts import now
from tests.integration.venue_adapter.canned import FAULTS, Canned, CannedServer, serving
from tests.integration.venue_adapter.cases import kucoin as kc
from tests.integration.venue_adapter.cases.case import Ask
from tests.integration.venue_adapter.cases.kucoin import KUCOIN
from tests.integration.venue_adapter.cases.kucoinfutures import mode, order, paged, wrap
from tests.integration.venue_adapter.test_described_venues import Bench, look


@asynccontextmanager
async def kucoin(*instead: Canned) -> AsyncIterator[tuple[CcxtAccount, CannedServer, str]]:
    """Connect to the case's account, some of whose answers are others."""
    async with serving() as server:
        shared = SharedConnections()
        label, account = Bench(KUCOIN, server, shared).account(table=(*instead, *KUCOIN.table))
        try:
            await account.prepare()
            yield account, server, label
        finally:
            await account.close()
            await shared.close()


async def seen(*instead: Canned) -> Snapshot:
    async with kucoin(*instead) as (account, _, _):
        return await account.snapshot(now=now())


def _kinds(snapshot: Snapshot) -> set[tuple[str, str]]:
    return {
        (str(scope.completeness), str(scope.failure.kind) if scope.failure else "")
        for scope in snapshot.scopes.values()
    }


async def test_a_unified_account_is_refused_and_nothing_is_read_of_it() -> None:
    async with kucoin(mode("UNIFIED")) as (account, server, label):
        server.asked.clear()
        snapshot = await account.snapshot(now=now())
        said = await look(account, Ask(symbol=kc.SPOT, order_id="h177"))
        asked = {entry.path for entry, _ in server.asked[label]}
    assert _kinds(snapshot) == {("failed", "unsupported")}
    assert "UNIFIED" in snapshot.failures()[0].detail
    assert isinstance(said, Unanswered)
    assert asked == {"/api/ua/v1/account/mode"}


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "hang"])
async def test_an_account_of_an_unknown_kind_is_not_read(name: str) -> None:
    async with kucoin() as (account, server, label):
        entry = next(e for e in KUCOIN.table if e.path.endswith("/account/mode"))
        server.faults[label] = (entry, FAULTS[name])
        snapshot = await account.snapshot(now=now())
        said = await look(account, Ask(symbol=kc.SPOT, order_id="h177"))
    assert {kind for kind, _ in _kinds(snapshot)} == {"failed"}
    assert isinstance(said, Unanswered)


async def test_each_look_asks_for_the_kind_of_account_once() -> None:
    async with kucoin() as (account, server, label):
        await account.snapshot(now=now())
        await look(account, Ask(symbol=kc.SPOT, order_id="h177"))
        asked = [entry.path for entry, _ in server.asked[label]]
    assert asked.count("/api/ua/v1/account/mode") == 1


def _refuses(path: str, body: Any) -> Canned:
    return Canned(path=path, body=body, status=lambda _: 400)


async def test_a_margin_account_that_is_not_opened_holds_nothing() -> None:
    async with kucoin(_refuses("/hf/margin/.*", kc.NO_MARGIN)) as (account, _, _):
        snapshot = await account.snapshot(now=now())
        missing = await look(account, Ask(symbol=kc.SPOT, order_id="h188"))
    ids = {o.venue_order_id for o in snapshot.orders}
    assert snapshot.scopes[ScopeName.OPEN_ORDERS].completeness is Completeness.COMPLETE
    assert snapshot.scopes[ScopeName.TRIGGER_ORDERS].completeness is Completeness.COMPLETE
    assert {"h101", "a201", "vs401"} <= ids
    assert not ids & {"m301", "vs402"}
    assert isinstance(missing, NotFound)


async def test_a_low_frequency_account_has_no_high_frequency_orders() -> None:
    snapshot = await seen(_refuses("/hf/orders/active/symbols", kc.NO_HIGH_FREQUENCY))
    assert snapshot.scopes[ScopeName.OPEN_ORDERS].completeness is Completeness.COMPLETE
    assert "a201" in {o.venue_order_id for o in snapshot.orders}


@pytest.mark.parametrize(
    "body",
    [
        {"code": "400007", "msg": "Access denied--->Require more permission"},
        {"code": "401000", "msg": "The interface has been deprecated"},
        {"code": "126000", "msg": "Abnormal margin trading"},
    ],
)
async def test_any_other_refusal_of_a_part_fails_the_scope(body: dict[str, str]) -> None:
    for path in (r"/margin/order/active/symbols", "/hf/orders/active/symbols"):
        snapshot = await seen(_refuses(path, body))
        assert snapshot.scopes[ScopeName.OPEN_ORDERS].completeness is Completeness.FAILED
        assert not snapshot.orders_are_complete()


@pytest.mark.parametrize(
    "body",
    [
        wrap({"symbols": ["BTC-USDT", 7]}),
        wrap({"symbols": "BTC-USDT"}),
        wrap(None),
        wrap([]),
    ],
)
async def test_symbols_of_another_shape_are_no_answer(body: Any) -> None:
    snapshot = await seen(Canned(path="/hf/orders/active/symbols", body=body))
    scope = snapshot.scopes[ScopeName.OPEN_ORDERS]
    assert scope.completeness is Completeness.FAILED
    assert scope.failure is not None
    assert scope.failure.kind is AnswerKind.NO_ANSWER


async def test_a_failure_among_the_symbols_fails_the_scope() -> None:
    """The first symbol was listed: "not opened" is not believed of the second."""

    def active(params: Any) -> Any:
        return kc.NO_HIGH_FREQUENCY if params["symbol"] == "ETH-USDT" else wrap([kc.HF[0]])

    snapshot = await seen(Canned(path="/hf/orders/active", body=active))
    assert snapshot.scopes[ScopeName.OPEN_ORDERS].completeness is Completeness.FAILED


async def test_no_symbol_with_orders_is_none() -> None:
    none: tuple[Any, ...] = ([], None)
    for symbols in none:
        snapshot = await seen(
            Canned(path="/active/symbols", body=wrap({"symbolSize": 0, "symbols": symbols}))
        )
        assert snapshot.scopes[ScopeName.OPEN_ORDERS].completeness is Completeness.COMPLETE
        assert not {"h101", "m301"} & {o.venue_order_id for o in snapshot.orders}


async def test_a_live_oco_order_cannot_be_read_and_says_so() -> None:
    rows = (kc.oco("oc1", "DONE"), kc.oco("oc2", "NEW"), kc.oco("oc3", "CANCELLED"))
    snapshot = await seen(paged("/v3/oco/orders", rows))
    scope = snapshot.scopes[ScopeName.TRIGGER_ORDERS]
    assert scope.completeness is Completeness.PARTIAL
    assert scope.failure is not None
    assert "cannot be read" in scope.failure.detail


@pytest.mark.parametrize("total", [3, None, "2"])
async def test_fewer_rows_than_the_venue_counts_are_not_all(total: Any) -> None:
    def short(params: Any) -> Any:
        rows = [order("2201"), order("2202")] if params["currentPage"] == "1" else []
        return wrap({"currentPage": 1, "totalNum": total, "totalPage": 1, "items": rows})

    snapshot = await seen(Canned(path="/stopOrders", body=short))
    scope = snapshot.scopes[ScopeName.TRIGGER_ORDERS]
    assert scope.completeness is Completeness.PARTIAL
    assert {"2201", "2202"} <= {o.venue_order_id for o in snapshot.orders}


async def test_a_position_without_a_known_leg_makes_the_scope_partial() -> None:
    row = {"symbol": "XBTUSDTM", "currentQty": 1, "positionSide": "UP"}
    snapshot = await seen(Canned(path="/positions", body=wrap([row])))
    assert snapshot.scopes[ScopeName.POSITIONS].completeness is Completeness.PARTIAL


NOT_FOUND = "not found"
CODES: tuple[tuple[int, Any, str], ...] = (
    (200, {"code": "200000", "data": order("2277")}, "answered"),
    (400, {"code": "400100", "msg": "order not exist."}, NOT_FOUND),
    (400, {"code": "400100", "msg": "order not exist"}, NOT_FOUND),
    (400, {"code": "400100", "msg": "The order does not exist."}, NOT_FOUND),
    (400, {"code": "order_not_exist", "msg": "order_not_exist"}, NOT_FOUND),
    (200, {"code": "100001", "msg": "error.getOrder.orderNotExist"}, NOT_FOUND),
    (200, {"code": "126043", "msg": "Order does not exist"}, NOT_FOUND),
    # The account has no such part, so that the order cannot be there.
    (400, {"code": "101030", "msg": "You haven't yet enabled the margin trading"}, NOT_FOUND),
    (400, {"code": "126001", "msg": "Users currently do not support"}, NOT_FOUND),
    (429, {"code": "429000", "msg": "Too many requests"}, AnswerKind.THROTTLED),
    (200, {"code": "429000", "msg": "Too many requests"}, AnswerKind.THROTTLED),
    (429, {"code": "200002", "msg": "Too many requests in a short period"}, AnswerKind.THROTTLED),
    (200, {"code": "200002", "msg": "Too many requests in a short period"}, AnswerKind.THROTTLED),
    (429, {"code": "1015", "msg": "error code: 1015"}, AnswerKind.THROTTLED),
    (403, {"msg": "Exceeded the access frequency"}, AnswerKind.THROTTLED),
    (401, {"code": "400001", "msg": "Any of KC-API-KEY is missing"}, AnswerKind.AUTH),
    (401, {"code": "400003", "msg": "KC-API-KEY not exists"}, AnswerKind.AUTH),
    (401, {"code": "400004", "msg": "KC-API-PASSPHRASE error"}, AnswerKind.AUTH),
    (401, {"code": "400005", "msg": "Signature error"}, AnswerKind.AUTH),
    (401, {"code": "400006", "msg": "The IP address is not in the whitelist"}, AnswerKind.AUTH),
    (403, {"code": "400007", "msg": "Access denied--->Require more permission"}, AnswerKind.AUTH),
    (400, {"code": "400401", "msg": "User is not logged in"}, AnswerKind.AUTH),
    (200, {"code": "411100", "msg": "User is frozen"}, AnswerKind.AUTH),
    (400, {"code": "400002", "msg": "KC-API-TIMESTAMP Invalid"}, AnswerKind.CLOCK),
    (404, {"code": "404", "msg": "Not Found"}, AnswerKind.UNSUPPORTED),
    (404, {"code": "404000", "msg": "URL Not Found"}, AnswerKind.UNSUPPORTED),
    (405, {"code": "405", "msg": "Method Not Allowed"}, AnswerKind.UNSUPPORTED),
    (400, {"code": "400008", "msg": "api-key version"}, AnswerKind.UNSUPPORTED),
    (400, {"code": "401000", "msg": "The interface has been deprecated"}, AnswerKind.UNSUPPORTED),
    (200, {"code": "112010", "msg": "Invalid Unified Account user."}, AnswerKind.UNSUPPORTED),
    (400, {"code": "400100", "msg": "Parameter Error"}, AnswerKind.NO_ANSWER),
    (400, {"code": "400500", "msg": "Your located country/region"}, AnswerKind.NO_ANSWER),
    (200, {"code": "408000", "msg": "Network timeout"}, AnswerKind.NO_ANSWER),
    (500, {"code": "500000", "msg": "Internal Server Error"}, AnswerKind.NO_ANSWER),
    # A server error is no word about the order, whatever it says.
    (500, {"code": "100001", "msg": "error.getOrder.orderNotExist"}, AnswerKind.NO_ANSWER),
    (503, {"code": "503", "msg": "Service Unavailable"}, AnswerKind.NO_ANSWER),
    (200, {"code": "999999", "msg": "never heard of"}, AnswerKind.NO_ANSWER),
    (200, {"code": "200000", "data": None}, AnswerKind.NO_ANSWER),
    (200, {"code": "200000", "data": {}}, AnswerKind.NO_ANSWER),
    (200, {"code": "200000", "data": order("2278")}, AnswerKind.NO_ANSWER),
    (200, {"code": "200000", "data": order("2277", "ETHUSDTM")}, AnswerKind.NO_ANSWER),
)


def _says(path: str, status: int, body: Any) -> Canned:
    return Canned(path=path, body=body, status=lambda _: status)


async def test_error_codes() -> None:
    """The golden table: what each of the venue's answers to a question after an order means."""
    entry = next(e for e in KUCOIN.table if e.path == "/api/v1/orders/2[^/]+")
    async with serving() as server:
        shared = SharedConnections()
        bench = Bench(KUCOIN, server, shared)
        wrong = []
        for status, body, expected in CODES:
            label, account = bench.account()
            await account.prepare()
            server.tables[label] = [_says(entry.path, status, body), *KUCOIN.table]
            ask = Ask(symbol="BTC/USDT:USDT", order_id="2277")
            said = await look(account, ask)
            match said:
                case Found():
                    outcome = "answered"
                case NotFound():
                    outcome = NOT_FOUND
                case Unanswered():
                    outcome = str(said.failure.kind)
            if outcome != expected:
                wrong.append((status, body, outcome))
            await account.close()
        await shared.close()
    assert wrong == []


def test_the_golden_table_has_each_outcome() -> None:
    outcomes = {str(outcome) for _, _, outcome in CODES}
    assert outcomes == {
        "answered", NOT_FOUND, "throttled", "auth", "clock", "unsupported", "no_answer",
    }  # fmt: skip
    assert len(CODES) == len({(status, str(body)) for status, body, _ in CODES})
