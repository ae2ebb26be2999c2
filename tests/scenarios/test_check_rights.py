"""`reconciler check` with a restricted role: what lacks is said with the GRANT that gives it.

The proof of a GRANT is to run it: after those that `check` prints nothing lacks.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from reconciler.service.checking import Line
from tests.scenarios.setting import Setting
from tests.scenarios.test_check import checked

SECRET = "restricted"


@dataclass(slots=True, kw_only=True)
class Restricted:
    """The setting's database, by a role that was given nothing."""

    setting: Setting
    role: str

    @property
    def url(self) -> str:
        parts = urlsplit(self.setting.url)
        place = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=f"{self.role}:{SECRET}@{place}").geturl()

    async def run(self, statements: str) -> None:
        await self.setting.connection.execute(statements.replace("ROLE", self.role))

    async def lines(self, mode: str = "enforce") -> list[Line]:
        return await checked(self.setting, database={"url": self.url}, mode=mode)

    async def lacking(self, mode: str = "enforce") -> list[Line]:
        return [
            line
            for line in await self.lines(mode)
            if line.what.endswith(", rights") and line.level != "ok"
        ]


@pytest.fixture
async def restricted(setting: Setting) -> AsyncIterator[Restricted]:
    made = Restricted(setting=setting, role=f"r_{uuid4().hex[:12]}")
    await made.run(f"create role ROLE login password '{SECRET}'")
    yield made
    await made.run("drop owned by ROLE; drop role ROLE")


OWN = (
    "grant usage on schema reconciler to ROLE; grant select, insert, update, delete on all tables "
    "in schema reconciler to ROLE; grant usage on all sequences in schema reconciler to ROLE;"
)
READS = "grant usage on schema bot to ROLE; grant select on all tables in schema bot to ROLE;"
WRITES = (
    "grant update (status, updated_at) on bot.profiles to ROLE;"
    "grant update (status, filled, avg_price, updated_at) on bot.orders to ROLE;"
)
ALL = OWN + READS + WRITES


async def test_running_what_it_prints_is_enough(restricted: Restricted) -> None:
    for _ in range(3):
        lacking = await restricted.lacking()
        for line in lacking:
            assert restricted.role in line.mend
            await restricted.setting.connection.execute(line.mend)
    assert await restricted.lacking() == []
    lines = await restricted.lines()
    assert [line for line in lines if line.level == "fail"] == []


@pytest.mark.parametrize(
    ("taken", "says", "mend"),
    [
        (
            "revoke usage on schema bot from ROLE",
            "permission denied for schema bot",
            "GRANT USAGE ON SCHEMA bot TO ROLE",
        ),
        (
            "revoke select on bot.positions from ROLE",
            "positions.select: permission denied for table positions",
            "GRANT SELECT ON bot.positions TO ROLE",
        ),
        (
            (
                "revoke select on bot.orders from ROLE;"
                "grant select (id, status) on bot.orders to ROLE"
            ),
            "orders.select, orders.find: permission denied for table orders",
            (
                "GRANT SELECT (profile_id, symbol, side, type, qty, filled, price, avg_price, "
                "reduce_only, role, client_order_id, venue_order_id, created_at, updated_at) "
                "ON bot.orders TO ROLE"
            ),
        ),
        (
            "revoke update (filled) on bot.orders from ROLE",
            "orders.update: permission denied for table orders",
            "GRANT UPDATE (filled) ON bot.orders TO ROLE",
        ),
        (
            "revoke update on bot.profiles from ROLE",
            "profiles.deactivate, profiles.activate: permission denied for table profiles",
            "GRANT UPDATE (status, updated_at) ON bot.profiles TO ROLE",
        ),
        (
            "revoke delete on reconciler.outbox from ROLE",
            "lacks a right in our own schema",
            "GRANT DELETE ON reconciler.outbox TO ROLE",
        ),
        (
            "revoke usage on schema reconciler from ROLE",
            "lacks a right in our own schema",
            "GRANT USAGE ON SCHEMA reconciler TO ROLE",
        ),
        (
            "revoke usage on sequence reconciler.incidents_id_seq from ROLE",
            "lacks a right in our own schema",
            "GRANT USAGE ON SEQUENCE reconciler.incidents_id_seq TO ROLE",
        ),
        (
            (
                "alter table bot.orders enable row level security;"
                "create policy ours on bot.orders for update to ROLE using (true)"
            ),
            "orders.select, orders.find: row-level security hides rows of bot.orders",
            "create policy reconciler_reads on bot.orders for select to ROLE using (true)",
        ),
        (
            (
                "alter table bot.orders enable row level security;"
                "create policy reconciler_reads on bot.orders for select to ROLE "
                "using (status = 'open')"
            ),
            "orders.select, orders.find: row-level security hides rows of bot.orders",
            "create policy reconciler_reads_2 on bot.orders for select to ROLE using (true)",
        ),
        (
            (
                "alter table bot.orders enable row level security;"
                "create policy ours on bot.orders for select to ROLE using (true)"
            ),
            "orders.update: row-level security does not let our role update every row",
            (
                "create policy reconciler_updates on bot.orders for update to ROLE using (true) "
                "with check (true)"
            ),
        ),
        (
            (
                "alter table bot.orders enable row level security;"
                "create policy all_of_it on bot.orders to ROLE using (true);"
                "create policy less on bot.orders as restrictive using (profile_id = 'p1')"
            ),
            "row-level security hides rows of bot.orders",
            "ALTER ",
        ),
    ],
)
async def test_one_right_that_lacks(
    restricted: Restricted, taken: str, says: str, mend: str
) -> None:
    await restricted.run(ALL)
    assert await restricted.lacking() == []
    await restricted.run(taken)
    lacking = await restricted.lacking()
    mend = mend.replace("ROLE", restricted.role)
    assert any(says in line.says and line.mend.startswith(mend) for line in lacking), lacking
    assert {line.level for line in lacking} == {"fail"}


async def test_a_second_table_of_a_join_is_not_hidden_by_the_first(restricted: Restricted) -> None:
    """The server names one table with policies; rows of the other would be missed in silence."""
    await restricted.run(
        ALL + "alter table bot.orders enable row level security;"
        "alter table bot.profiles enable row level security;"
        "create policy reads on bot.orders for all to ROLE using (true)"
    )
    select = (
        "select o.*, p.name from bot.orders o join bot.profiles p on p.id = o.profile_id "
        "where $1::timestamptz is not null"
    )
    restricted.setting.configure(book={"orders": {"select": select}})
    lacking = await restricted.lacking()
    hidden = [line for line in lacking if "hides rows of bot.profiles" in line.says]
    assert len(hidden) == 1
    assert "orders.select" in hidden[0].says
    statements = next(line for line in await restricted.lines() if line.what == "book main")
    assert statements.level == "fail", "and nothing is judged until it is mended"


async def test_rights_to_write_are_not_needed_to_observe(restricted: Restricted) -> None:
    await restricted.run(OWN + READS)
    assert {line.level for line in await restricted.lacking("observe")} == {"warn"}
    assert {line.level for line in await restricted.lacking("enforce")} == {"fail"}


async def test_a_book_that_writes_rows_needs_their_sequence(restricted: Restricted) -> None:
    await restricted.run(
        ALL + "create table public.locks (id serial primary key, reason text, profile_id text);"
        "grant select, insert on public.locks to ROLE"
    )
    deactivate = (
        "insert into public.locks (reason, profile_id) select 'ghost', unnest($1::text[]) "
        "returning profile_id"
    )
    restricted.setting.configure(book={"profiles": {"deactivate": deactivate}})
    [line] = await restricted.lacking()
    assert line.says == "profiles.deactivate: permission denied for sequence public.locks_id_seq"
    await restricted.setting.connection.execute(line.mend)
    assert await restricted.lacking() == []


async def test_an_old_schema_of_another_owner_cannot_be_migrated_by_us(
    restricted: Restricted,
) -> None:
    await restricted.run(ALL + "update reconciler.alembic_version set version_num = '0000'")
    line = next(line for line in await restricted.lines() if line.what == "own schema")
    assert (line.level, "with the role that owns" in line.mend) == ("fail", True)


async def test_it_asks_for_a_schema_where_there_is_none(restricted: Restricted) -> None:
    await restricted.run(READS + WRITES + "drop schema reconciler cascade")
    [line] = [each for each in await restricted.lacking() if each.what.startswith("own schema")]
    assert line.mend.startswith("GRANT CREATE ON DATABASE ")
