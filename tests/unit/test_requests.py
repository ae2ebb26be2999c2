"""Many wishes are one pass; a wish during a pass is one more after it."""

import asyncio
from datetime import timedelta

from reconciler.domain.identity import AccountName
from reconciler.service.requests import Look, Requests

MAIN = AccountName("main")


class Stage:
    """A clock that stands still, and looks that wait to be run."""

    def __init__(self) -> None:
        self.now = 100.0
        self.planned: list[tuple[timedelta, Look]] = []
        self.looks = 0
        self.requests = Requests(self.soon, self.look, clock=lambda: self.now)

    def soon(self, after: timedelta, account: AccountName, look: Look) -> None:
        assert account == MAIN
        self.planned.append((after, look))

    async def look(self, account: AccountName) -> None:
        self.looks += 1
        await asyncio.sleep(0)

    async def run_planned(self) -> None:
        after, look = self.planned.pop(0)
        self.now += after.total_seconds()
        await look(MAIN)


async def test_many_wishes_are_one_pass() -> None:
    stage = Stage()
    for _ in range(100):
        stage.requests.ask(MAIN)
    assert [after for after, _ in stage.planned] == [timedelta(0)]
    await stage.run_planned()
    assert stage.looks == 1
    assert stage.planned == []


async def test_the_next_pass_waits_two_seconds_from_the_last() -> None:
    stage = Stage()
    stage.requests.ask(MAIN)
    await stage.run_planned()
    stage.now += 0.5
    stage.requests.ask(MAIN)
    assert stage.planned[0][0] == timedelta(seconds=1.5)
    await stage.run_planned()
    stage.now += 60
    stage.requests.ask(MAIN)
    assert stage.planned[0][0] == timedelta(0)


async def test_never_more_often_than_the_venues_budget_holds() -> None:
    stage = Stage()
    stage.requests.space(MAIN, timedelta(seconds=20))
    stage.requests.ask(MAIN)
    await stage.run_planned()
    stage.now += 5
    stage.requests.ask(MAIN)
    assert stage.planned[0][0] == timedelta(seconds=15)


async def test_wishes_during_a_pass_are_one_more_after_it() -> None:
    stage = Stage()
    stage.requests.ask(MAIN)
    _, look = stage.planned.pop()
    under_way = asyncio.ensure_future(look(MAIN))
    await asyncio.sleep(0)
    for _ in range(5):
        stage.requests.ask(MAIN)
    assert stage.planned == [], "not beside it"
    await under_way
    assert len(stage.planned) == 1
