"""`reconciler check`: each line appears where there is trouble, and is `ok` where there is none."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

import pytest

from reconciler.service.assembly import assembled
from reconciler.service.checking import Line, run_checks
from reconciler.settings import load_settings
from reconciler.simulation.venue import FaultKind
from reconciler.telemetry.redaction import Redactor
from tests.scenarios.setting import HOUR, Setting, ago

Arrange: TypeAlias = Callable[[Setting], Coroutine[Any, Any, None]]
BTC = "BTC/USDT:USDT"


async def checked(setting: Setting, **sections: Any) -> list[Line]:
    settings = load_settings(setting.configure(**sections))
    async with assembled(settings, Redactor(settings.secret_values())) as assembly:
        return await run_checks(assembly)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that is wrong, and the line that tells it."""

    what: str
    level: str
    says: str
    mend: str
    sql: str = ""
    arrange: Arrange | None = None
    sections: dict[str, Any] = field(default_factory=dict)
    quiet: str = ""
    """The line that says `ok` where nothing is wrong; empty: the line of the same name."""

    async def make(self, setting: Setting) -> None:
        if self.sql:
            await setting.connection.execute(self.sql)
        if self.arrange is not None:
            await self.arrange(setting)


async def _stranger(setting: Setting) -> None:
    await setting.insert("bot.profiles", id="p9", account="nowhere", status="active")


async def _odd_profile(setting: Setting) -> None:
    await setting.insert("bot.profiles", id="p8", account="main", status="hibernating")


async def _lonely(setting: Setting) -> None:
    setting.add_account("two")


async def _wat(setting: Setting) -> None:
    for name in ("w1", "w2"):
        await setting.order(name, BTC, "buy", "1", status="wat")


async def _no_market(setting: Setting) -> None:
    await setting.position("m1", "NOSUCHUSDT", "long", "1")
    await setting.order("m2", "NOSUCHUSDT", "buy", "1")


async def _future(setting: Setting) -> None:
    await setting.order("f1", BTC, "buy", "1", updated_at=ago(-9 * HOUR))


async def _stray(setting: Setting) -> None:
    await setting.position("s1", BTC, "long", "1", profile_id="nobody")


async def _unreadable(setting: Setting) -> None:
    await setting.order("u1", BTC, "sideways", "1")


async def _trades(setting: Setting) -> None:
    setting.venue.set_key_rights("enableFutures", "enableWithdrawals")


async def _moves(setting: Setting) -> None:
    setting.venue.set_key_rights("permitsUniversalTransfer")


async def _refused_rights(setting: Setting) -> None:
    setting.venue.faults.set(FaultKind.HTML_200, "key_rights")


async def _skewed(setting: Setting) -> None:
    setting.venue.clock.skew = -HOUR / 1200


async def _twins(setting: Setting) -> None:
    setting.sections["accounts"]["twin"] = dict(setting.sections["accounts"]["main"])


BIG = """
insert into bot.orders (id, profile_id, symbol, side, qty, status, updated_at, venue_order_id)
select 'g' || g, 'p1', 'BTC/USDT:USDT', 'buy', 1, 'filled', now() - g * interval '1 min', 'v' || g
from generate_series(1, 60000) g;
analyze bot.orders;
do $$ declare i text; begin
  for i in select indexname from pg_indexes where schemaname = 'bot' and tablename = 'orders'
           and indexname not like '%pkey' loop execute 'drop index bot.' || i; end loop; end $$
"""
NAIVE = {
    "book": {
        "timezone": "UTC",
        "positions": {
            "select": "select id, profile_id, symbol, side, qty, true as open, updated_at "
            "from public.naive where updated_at >= $1::timestamptz or $1 is not null"
        },
    }
}
NAIVE_TABLE = """
create table public.naive (id text, profile_id text, symbol text, side text, qty numeric,
                           updated_at timestamp);
"""

TROUBLES = {
    "unknown word": Trouble(
        what="book main, status words",
        level="warn",
        says="2 orders have a status that is not known: wat (2)",
        mend='[book.vocabulary] "wat" = "in_flight | open',
        arrange=_wat,
    ),
    "unknown profile status": Trouble(
        what="book main, profile statuses",
        level="warn",
        says="hibernating (1); each is taken as one that enters trades",
        mend="case status when",
        arrange=_odd_profile,
    ),
    "account not configured": Trouble(
        what="book main, accounts",
        level="warn",
        says="1 profiles are of accounts that are not configured: nowhere (1)",
        mend="[accounts.nowhere]",
        arrange=_stranger,
    ),
    "account without a profile": Trouble(
        what="book main, accounts",
        level="warn",
        says="accounts without a profile: two",
        mend="It says main",
        arrange=_lonely,
    ),
    "unknown market": Trouble(
        what="book main, symbols of main",
        level="warn",
        says="2 open rows name markets that binanceusdm does not list: NOSUCHUSDT (2)",
        mend="as ccxt or the venue does",
        arrange=_no_market,
        quiet="-",
    ),
    "rows of the future": Trouble(
        what="book main, time zones",
        level="fail",
        says="1 rows are of a time up to 9 h ahead of now",
        mend="book.timezone",
        arrange=_future,
    ),
    "stray rows": Trouble(
        what="book main, profiles",
        level="warn",
        says="profiles that do not exist: positions (1)",
        mend="profile_id",
        arrange=_stray,
        quiet="-",
    ),
    "unreadable rows": Trouble(
        what="book main, rows",
        level="warn",
        says="side is 'sideways', it must be buy or sell (1)",
        mend="mend the rows",
        arrange=_unreadable,
    ),
    "a view": Trouble(
        what="book main, views",
        level="warn",
        says="view public.theirs of postgres depends on bot.orders",
        mend="DROP VIEW public.theirs",
        sql="create view public.theirs as select * from bot.orders",
    ),
    "a view on a view in another schema": Trouble(
        what="book main, views",
        level="warn",
        says='materialized view bot."Odd Name" of postgres depends on bot.positions',
        mend='DROP MATERIALIZED VIEW bot."Odd Name"',
        sql='create materialized view bot."Odd Name" as select * from bot.positions',
    ),
    "a missing index": Trouble(
        what="book main, plans",
        level="warn",
        says="orders.find reads all 60,000 rows of bot.orders",
        mend="CREATE INDEX CONCURRENTLY ON bot.orders (venue_order_id)",
        sql=BIG,
    ),
    "a table that is gone": Trouble(
        what="book main",
        level="fail",
        says="positions.select",
        mend="migrate --with-native-book",
        sql="alter table bot.positions rename to positions_bak0",
    ),
    "a naive column of another zone": Trouble(
        what="book main, time zones",
        level="warn",
        says="public.naive.updated_at) are read as UTC, but sessions of role tokyo_bot are in Asia",
        mend="set book.timezone",
        sql=NAIVE_TABLE + "do $$ begin create role tokyo_bot; exception when duplicate_object then "
        "null; end $$; alter role tokyo_bot set timezone = 'Asia/Tokyo'",
        sections=NAIVE,
    ),
    "a key that can withdraw": Trouble(
        what="account main, key",
        level="warn",
        says="it can withdraw (enableWithdrawals), trade (enableFutures)",
        mend="a key that only reads",
        arrange=_trades,
    ),
    "a key that can move money": Trouble(
        what="account main, key",
        level="warn",
        says="move money between the account's parts (permitsUniversalTransfer)",
        mend="a key that only reads",
        arrange=_moves,
    ),
    "rights that are not told": Trouble(
        what="account main, key",
        level="warn",
        says="binanceusdm did not tell its rights",
        mend="",
        arrange=_refused_rights,
    ),
    "a clock": Trouble(
        what="clock of the venue of main",
        level="warn",
        says="s from this host",
        mend="synchronise clocks",
        arrange=_skewed,
        sections={"guards": {"max_clock_skew": "1s"}},
    ),
    "two accounts, one key": Trouble(
        what="main and twin",
        level="warn",
        says="the same venue and key",
        mend="one [accounts",
        arrange=_twins,
        quiet="-",
    ),
    "an old schema": Trouble(
        what="own schema",
        level="warn",
        says="version 0000, this program brings",
        mend="reconciler migrate",
        sql="update reconciler.alembic_version set version_num = '0000'",
    ),
    "a newer schema": Trouble(
        what="own schema",
        level="fail",
        says="newer than this program's",
        mend="run the newer program",
        sql="update reconciler.alembic_version set version_num = '9999'",
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
async def test_a_trouble_has_its_line(setting: Setting, name: str) -> None:
    trouble = TROUBLES[name]
    await trouble.make(setting)
    try:
        lines = await checked(setting, **trouble.sections)
    finally:
        if "tokyo_bot" in trouble.sql:
            await setting.connection.execute("alter role tokyo_bot reset timezone")
    found = [line for line in lines if line.what == trouble.what and trouble.says in line.says]
    assert {line.level for line in found} == {trouble.level}, lines
    assert any(trouble.mend in line.mend for line in found), [*found, *lines]


async def test_nothing_is_wrong_with_a_right_setting(setting: Setting) -> None:
    await setting.order("o1", BTC, "buy", "1")
    await setting.position("x1", BTC, "long", "1")
    await setting.connection.execute(NAIVE_TABLE)
    lines = await checked(setting)
    levels = {line.what: line.level for line in lines}
    for trouble in TROUBLES.values():
        if trouble.quiet == "-":
            assert levels.get(trouble.what, "ok") == "ok", trouble
        else:
            assert levels[trouble.what] == "ok", trouble
    wrong = [line for line in lines if line.level != "ok" and not line.says.startswith("not cov")]
    assert wrong == []
    assert all(line.topic for line in lines)
    topics = [line.topic for line in lines]
    assert len([1 for one, two in pairwise(topics) if one != two]) == (len(set(topics)) - 1), (
        "the lines of a topic stand together"
    )


async def test_channels_that_nobody_knows_are_told(setting: Setting) -> None:
    """Without a word of their secrets, and without sending anything."""
    urls = ["json://127.0.0.1:1/hook", "slakc://hooks/SECRET"]
    found = {line.what: line for line in await checked(setting, notifications={"urls": urls})}
    assert found["notifications.urls[0]"].level == "ok"
    unknown = found["notifications.urls[1]"]
    assert unknown.level == "fail"
    assert "slakc://" in unknown.says
    assert "SECRET" not in str(unknown)


async def test_the_naive_zone_that_is_configured_is_right(setting: Setting) -> None:
    await setting.connection.execute(NAIVE_TABLE)
    lines = await checked(setting, **NAIVE)
    [line] = [line for line in lines if line.what == "book main, time zones"]
    assert line.level == "ok"
    assert "public.naive.updated_at" in line.says
    lines = await checked(setting, book=NAIVE["book"] | {"timezone": "Asia/Tokyo"})
    [line] = [line for line in lines if line.what == "book main, time zones"]
    assert line.level == "warn"


async def test_a_trading_key_is_right_where_operators_may_act(setting: Setting) -> None:
    setting.venue.set_key_rights("enableFutures")
    policy = {"cancel_stuck_orders": "operator"}
    line = next(
        line for line in await checked(setting, policy=policy) if line.what == "account main, key"
    )
    assert line.level == "ok"
    setting.venue.set_key_rights("enableFutures", "enableWithdrawals")
    line = next(
        line for line in await checked(setting, policy=policy) if line.what == "account main, key"
    )
    assert line.level == "warn"
    assert "a key without withdrawals" in line.mend


async def test_a_dead_database_hides_no_venue(setting: Setting) -> None:
    lines = await checked(setting, database={"url": "postgresql://postgres@127.0.0.1:1/nothing"})
    by_what = {line.what: line for line in lines}
    assert by_what["database"].level == by_what["book main"].level == "fail"
    assert by_what["account main, key"].level == "ok"
    assert any(line.topic == "schedule" for line in lines)


async def test_a_dead_venue_hides_no_book(setting: Setting) -> None:
    await setting.position("x1", BTC, "long", "1")
    setting.sections["accounts"]["main"]["base_url"] = "http://127.0.0.1:1"
    lines = await checked(setting)
    levels = {line.what: line.level for line in lines}
    assert levels["account main"] == "fail"
    assert levels["book main"] == levels["book main, rights"] == "ok"
    symbols = next(line for line in lines if line.what == "book main, symbols of main")
    assert (symbols.level, symbols.says) == (
        "ok",
        "not looked at: the markets of binanceusdm are not known",
    )


async def test_a_locked_table_is_said_and_not_waited_for(setting: Setting) -> None:
    transaction = setting.connection.transaction()
    await transaction.start()
    await setting.connection.execute("lock table bot.orders in access exclusive mode")
    try:
        lines = await checked(setting)
    finally:
        await transaction.rollback()
    assert any("not looked at" in line.says and "lock" in line.says.lower() for line in lines)
    assert any(line.what == "account main, key" for line in lines)


async def test_nothing_is_written(setting: Setting) -> None:
    await _wat(setting)
    await setting.connection.execute("checkpoint")
    book = await setting.book()
    ours = await _versions(setting)
    before = await setting.connection.fetchval("select txid_current_if_assigned()")
    lines = await checked(setting)
    assert lines
    assert before is None
    assert await setting.book() == book
    assert await _versions(setting) == ours
    orders = [
        r for r in setting.venue.requests.counts if r.endpoint.startswith(("place", "cancel"))
    ]
    assert orders == []


async def test_it_needs_no_right_to_write(setting: Setting) -> None:
    """Every question is asked in read-only transactions: the whole command works on one."""
    await setting.connection.execute(
        "do $$ begin execute 'alter database ' || quote_ident(current_database()) || "
        "' set default_transaction_read_only = on'; end $$"
    )
    lines = await checked(setting)
    failed = [line for line in lines if line.level == "fail"]
    assert [line.what for line in failed] == ["own schema, rights"]
    assert "default_transaction_read_only" in failed[0].says
    assert not any("not looked at" in line.says for line in lines)


async def _versions(setting: Setting) -> list[str]:
    tables = await setting.connection.fetch(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables "
        "where schemaname = 'reconciler' order by 1"
    )
    return [
        f"{table['name']} {row['version']}"
        for table in tables
        for row in await setting.connection.fetch(
            f"select xmin::text || ctid::text as version from {table['name']}"
        )
    ]


async def test_in_a_pipe_it_is_json_with_one_line_for_each_answer(setting: Setting) -> None:
    await _wat(setting)
    ran = await setting.command("check")
    assert ran.code == 0
    assert ran.err == ""
    assert {"level", "topic", "what", "says", "mend"} == set(ran.rows[0])
    for line in ran.out.splitlines()[1:-1]:
        assert json.loads(line.rstrip(","))["level"] in {"ok", "warn", "fail"}


async def test_a_failure_ends_it_with_one(setting: Setting) -> None:
    await setting.connection.execute("drop table bot.positions")
    ran = await setting.typed("check", "--json")
    assert ran.code == 1
    assert "main-secret" not in ran.out + ran.err


async def test_the_indexes_that_it_prints_are_enough(setting: Setting) -> None:
    await setting.connection.execute(BIG)
    first = [line for line in await checked(setting) if line.what == "book main, plans"]
    assert {line.level for line in first} == {"warn"}
    for line in first:
        for statement in line.mend.split("; "):
            await setting.connection.execute(statement)
    await setting.connection.execute("analyze bot.orders")
    again = [line for line in await checked(setting) if line.what == "book main, plans"]
    assert [line.level for line in again] == ["ok"]


async def test_another_book_that_is_away_hides_nothing(setting: Setting) -> None:
    setting.add_account("two")
    setting.sections["accounts"]["two"]["book"] = "other"
    lines = await checked(
        setting,
        book={"preset": "native"},
        books={"other": {"url": "postgresql://postgres@127.0.0.1:1/nothing"}},
    )
    by_what = {line.what: line for line in lines}
    assert by_what["book other"].level == "fail"
    assert "book other" in by_what["book other"].mend
    assert by_what["book main"].level == by_what["book main, rights"].level == "ok"
    assert by_what["account two, key"].level == "ok"
