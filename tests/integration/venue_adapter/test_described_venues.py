"""Every described venue against its canned account, through unmodified ccxt."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from reconciler.domain.identity import AccountName, ClientOrderId, Symbol, VenueOrderId
from reconciler.domain.orders import BookOrder, OrderSide
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    Found,
    Lookup,
    NotFound,
    ScopeName,
    Snapshot,
    Unanswered,
)
from reconciler.venue.account import CcxtAccount
from reconciler.venue.connection import AccountConnection
from reconciler.venue.descriptions import DESCRIBED
from reconciler.venue.shared_connection import SharedConnections
from tests.integration.venue_adapter.accounts import SHORT, TIMEOUT, book_order, now
from tests.integration.venue_adapter.canned import FAULTS, Canned, CannedServer, Fault, serving
from tests.integration.venue_adapter.cases.case import Ask, VenueCase
from tests.integration.venue_adapter.cases.every import CASES

KINDS = {"401": AnswerKind.AUTH, "418": AnswerKind.THROTTLED, "429": AnswerKind.THROTTLED}
MANY = 700


class Bench:
    """One server, and any number of accounts of one venue."""

    def __init__(self, case: VenueCase, server: CannedServer, shared: SharedConnections) -> None:
        self.case = case
        self.server = server
        self.shared = shared
        self.numbers = itertools.count(1)
        self.accounts: list[CcxtAccount] = []
        server.public = list(case.markets)

    def account(
        self, *, table: tuple[Canned, ...] | None = None, timeout: timedelta = TIMEOUT
    ) -> tuple[str, CcxtAccount]:
        label = f"{next(self.numbers):05d}"
        self.server.tables[label] = list(self.case.table if table is None else table)
        credentials: dict[str, Any] = {
            name: value.replace("KEY", f"key{label}")
            for name, value in {
                "api_key": "KEY",
                "secret": "c2VjcmV0LW9mLXRoZS10ZXN0",
                **self.case.credentials,
            }.items()
        }
        account = CcxtAccount(
            AccountConnection(
                name=AccountName(f"a{label}"),
                venue=self.case.venue,
                base_url=self.server.base_url,
                timeout=timeout,
                rate_share=1000.0,
                **credentials,
            ),
            shared=self.shared,
        )
        self.accounts.append(account)
        return label, account


@pytest_asyncio.fixture(params=CASES, ids=lambda case: str(case.venue))
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with serving() as server:
        shared = SharedConnections()
        bench = Bench(request.param, server, shared)
        yield bench
        await asyncio.gather(*(account.close() for account in bench.accounts))
        await shared.close()
        assert not server.unknown, server.unknown[:3]


async def look_at(account: CcxtAccount, case: VenueCase) -> Snapshot:
    return await account.snapshot(now=now(), symbols=map(Symbol, case.spot))


async def look(account: CcxtAccount, ask: Ask) -> Lookup:
    return await account.look_up(_book_order(account, ask), now=now())


def _book_order(account: CcxtAccount, ask: Ask) -> BookOrder:
    changes: dict[str, Any] = {
        "symbol": account.symbol_of(ask.symbol),
        "raw_symbol": ask.symbol,
        "type": ask.type,
        "venue_order_id": VenueOrderId(ask.order_id) if ask.order_id else None,
        "client_order_id": ClientOrderId(ask.client_order_id) if ask.client_order_id else None,
    }
    return book_order(**changes)


def test_every_description_has_its_case() -> None:
    assert {case.venue for case in CASES} == set(DESCRIBED) - {"binanceusdm"}


async def test_a_good_answer_shows_the_account(bench: Bench) -> None:
    label, account = bench.account()
    await account.prepare()
    bench.server.asked.clear()
    seen = await look_at(account, bench.case)
    assert {str(name) for name in seen.scopes} == bench.case.scopes
    assert [
        (scope.name, scope.failure)
        for scope in seen.scopes.values()
        if scope.completeness is not _how_complete(scope.name, bench.case)
    ] == []
    orders = {(o.symbol, o.venue_order_id, _plain(o.qty), str(o.state)) for o in seen.orders}
    assert orders == bench.case.orders
    sells = {o.venue_order_id for o in seen.orders if o.side is OrderSide.SELL}
    assert sells == bench.case.sells
    positions = {(p.symbol, str(p.side), _plain(p.qty), p.hedged) for p in seen.positions}
    assert positions == bench.case.positions
    assert len(seen.orders) == len(bench.case.orders)
    balances = {(b.asset, _plain(b.total)) for b in seen.balances}
    assert balances == bench.case.balances
    assert seen.not_covered
    # A listing that fits on one page is one call.
    calls = bench.case.calls or len(DESCRIBED[bench.case.venue].listings)
    assert len(bench.server.asked[label]) == calls


def _how_complete(name: ScopeName, case: VenueCase) -> Completeness:
    return Completeness.PARTIAL if name in case.partial else Completeness.COMPLETE


def _plain(qty: Decimal | None) -> str:
    return f"{qty.normalize():f}" if qty is not None else ""


async def test_balances_cost_a_call_only_where_spot_is_traded(bench: Bench) -> None:
    label, account = bench.account()
    seen = await account.snapshot(now=now())
    always = DESCRIBED[bench.case.venue].balances_always
    assert (ScopeName.BALANCES in seen.scopes) is always
    asked = {entry.scope for entry in bench.server.visited(label)}
    assert ("balances" in asked) is always


async def test_a_non_answer_fails_its_scope(bench: Bench) -> None:
    label, account = bench.account()
    await look_at(account, bench.case)
    entries = [entry for entry in bench.server.visited(label) if entry.scope]
    assert {entry.scope for entry in entries} == bench.case.scopes

    async def check(name: str, entry: Canned) -> None:
        label, account = bench.account(timeout=SHORT if name == "hang" else TIMEOUT)
        bench.server.faults[label] = (entry, FAULTS[name])
        seen = await look_at(account, bench.case)
        scope = seen.scopes[ScopeName(entry.scope)]
        assert scope.completeness is Completeness.FAILED, (name, entry.path, scope)
        assert scope.failure is not None
        if name in KINDS:
            assert scope.failure.kind is KINDS[name], (name, scope.failure)

    await asyncio.gather(*(check(name, entry) for name in FAULTS for entry in entries))


async def test_a_non_answer_is_never_not_found(bench: Bench) -> None:
    for ask in bench.case.missing:
        label, account = bench.account()
        await account.prepare()
        said = await look(account, ask)
        assert isinstance(said, NotFound), (ask, said)
        assert "fills" in said.rungs
        total = sum((fill.qty for fill in said.fills), Decimal(0))
        assert total == bench.case.fills.get(ask.order_id or "", Decimal(0))
        entries = [e for e in bench.server.visited(label) if e not in bench.case.markets]
        assert entries

        async def check(name: str, entry: Canned, ask: Ask) -> None:
            label, account = bench.account(timeout=SHORT if name == "hang" else TIMEOUT)
            await account.prepare()
            bench.server.faults[label] = (entry, FAULTS[name])
            said = await look(account, ask)
            assert isinstance(said, Unanswered), (name, entry.path, said)
            if name in KINDS:
                assert said.failure.kind is KINDS[name], (name, said.failure)

        await asyncio.gather(*(check(name, entry, ask) for name in FAULTS for entry in entries))


async def test_known_orders_are_found(bench: Bench) -> None:
    _, account = bench.account()
    await account.prepare()
    for expected in bench.case.found:
        said = await look(account, expected.ask)
        assert isinstance(said, Found), (expected.ask, said)
        shown = (said.order.venue_order_id, str(said.order.state), _plain(said.order.filled))
        assert shown == (expected.order_id, expected.state, expected.filled), said.order
        if expected.qty is not None:
            assert _plain(said.order.qty) == expected.qty
        assert said.order.symbol == Symbol(account.symbol_of(expected.ask.symbol))


@pytest.mark.parametrize(
    "bench", [case for case in CASES if case.paged], indirect=True, ids=lambda c: str(c.venue)
)
async def test_700_open_orders_are_all_seen(bench: Bench) -> None:
    paged = bench.case.paged
    assert paged is not None
    entry = paged.entry([paged.row(number) for number in range(MANY)])
    label, account = bench.account(table=(entry, *bench.case.table))
    seen = await look_at(account, bench.case)
    scope = seen.scopes[ScopeName(entry.scope)]
    assert scope.completeness is _how_complete(scope.name, bench.case), scope
    of_the_entry = [o for o in seen.orders if o.is_trigger is (entry.scope == "trigger_orders")]
    assert len({order.venue_order_id for order in of_the_entry}) == len(of_the_entry)
    assert len(of_the_entry) >= MANY
    pages = sum(1 for asked, _ in bench.server.asked[label] if asked is entry)
    assert pages == paged.pages
    label, account = bench.account(table=(entry, *bench.case.table))
    bench.server.faults[label] = (entry, Fault(status=502, body="", after=min(8, pages - 1)))
    seen = await look_at(account, bench.case)
    assert seen.scopes[ScopeName(entry.scope)].completeness is Completeness.FAILED


async def test_the_venues_own_errors_are_understood(bench: Bench) -> None:
    label, account = bench.account()
    await look_at(account, bench.case)
    entry = next(e for e in bench.server.visited(label) if e.scope == ScopeName.OPEN_ORDERS)
    for status, body, kind in bench.case.errors:
        label, account = bench.account()
        text = body if isinstance(body, str) else _json(body)
        bench.server.faults[label] = (entry, Fault(status=status, body=text))
        seen = await look_at(account, bench.case)
        failure = seen.scopes[ScopeName(entry.scope)].failure
        assert failure is not None, body
        assert failure.kind is kind, (body, failure)


def _json(body: Any) -> str:

    return json.dumps(body)
