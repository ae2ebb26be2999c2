"""A row in freqtrade's table `pairlocks`, which the bot reads before each entry; exits go on.

Our rows are told by their reason. A person lifts one in freqtrade's own pages, which sets its
`active` to false; the time alone lifts none while somebody reads it back.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

import asyncpg

from reconciler.book.parameters import SERVER_ZONE, literal
from reconciler.deactivation.looking import Look
from reconciler.domain.deactivation import Deactivation
from reconciler.domain.errors import DatabaseUnavailableError, DriverFailedError
from reconciler.store.connecting import Pool, borrowed

DEADLINE: Final = timedelta(seconds=10)
EVERY_PAIR: Final = "*"
LONGEST_PAIR: Final = 25
"""Of the column. A longer one would be cut, and lock another pair or none."""
OUR_REASONS: Final = "reconciler: incident %"

LOCK: Final = """
with held as (
  update {table}
  set lock_end_time = greatest(lock_end_time, {now} + $3::interval)
  where active and side = '*' and pair = $1 and reason = $2
  returning id
)
insert into {table} (pair, side, reason, lock_time, lock_end_time, active)
select $1, '*', $2, {now}, {now} + $3::interval, true
where not exists (select from held)
"""
HELD: Final = """
select max(lock_end_time - ({now})) from {table}
where active and side = '*' and pair = any($1::text[]) and reason like $2
"""
PROLONG: Final = """
update {table} set lock_end_time = {now} + $3::interval
where active and side = '*' and pair = any($1::text[]) and reason like $2
"""
RELEASE: Final = "update {table} set active = false where active and reason like $1"


class FreqtradePairlock:
    """One freqtrade bot, locked through its own database."""

    name = "freqtrade_pairlock"

    def __init__(
        self,
        pool: Pool,
        *,
        address: str,
        table: str,
        pairs: Literal["all", "ghost"],
        lock_for: timedelta,
        timezone: str | None,
    ) -> None:
        """`address`: as messages name the database. `table`: as SQL. `timezone`: of the bot's own
        session, IANA; None: the one that ours has there.
        """
        self._pool = pool
        self._place = f"the bot's table pairlocks ({address})"
        self._table = table
        self._pairs = pairs
        self._lock_for = lock_for
        # freqtrade writes and reads these times in the zone of its session, without saying so.
        zone = SERVER_ZONE if timezone is None else literal(timezone)
        self._now = f"clock_timestamp() at time zone {zone}"

    async def deactivate(self, wanted: Deactivation) -> None:
        """Lock until far ahead, once for each incident. Raises DriverFailedError."""
        reason = OUR_REASONS.replace("%", str(wanted.incident_id))
        await self._run(LOCK, self._pair(wanted), reason, self._lock_for)

    async def activate(self, wanted: Deactivation) -> None:  # noqa: ARG002 - one bot, one profile
        """Lift every lock of ours, and no other. Raises DriverFailedError."""
        await self._run(RELEASE, OUR_REASONS)

    async def is_active(self, wanted: Deactivation) -> bool:
        """Read back whether no lock of ours stands; one that has run half its time, or ended by
        itself, is prolonged. Raises DriverFailedError.
        """
        pairs = sorted({EVERY_PAIR, self._pair(wanted)})
        left = await self._run(HELD, pairs, OUR_REASONS)
        if left is None:
            return True
        if left < self._lock_for / 2:
            await self._run(PROLONG, pairs, OUR_REASONS, self._lock_for)
        return False

    async def look(self, wanted: Deactivation | None) -> Look:  # noqa: ARG002 - one bot, one profile
        """Whether locks can be read; nothing is changed. Raises DriverFailedError."""
        left = await self._run(HELD, [EVERY_PAIR], OUR_REASONS)
        stands = "none of ours stands" if left is None else "one of ours stands"
        return Look(says=f"{self._place} can be read: {stands}")

    def statements(self) -> Mapping[str, tuple[tuple[str, ...], str]]:
        """By name the types that each takes and its SQL: what our role has to be able to run."""
        told = {
            "pairlocks.lock": (("text", "text", "interval"), LOCK),
            "pairlocks.read": (("text[]", "text"), HELD),
            "pairlocks.prolong": (("text[]", "text", "interval"), PROLONG),
            "pairlocks.release": (("text",), RELEASE),
        }
        return {name: (takes, self._sql(asked)) for name, (takes, asked) in told.items()}

    def _sql(self, statement: str) -> str:
        return statement.format(table=self._table, now=self._now)

    def _pair(self, wanted: Deactivation) -> str:
        if self._pairs == "all":
            return EVERY_PAIR
        if len(wanted.symbol) > LONGEST_PAIR or "/" not in wanted.symbol:
            raise DriverFailedError(
                f"{wanted.symbol} is no pair as freqtrade writes them: set deactivation.pairs to "
                '"all"'
            )
        return wanted.symbol

    async def _run(self, statement: str, *values: object) -> timedelta | None:
        try:
            async with (
                asyncio.timeout(DEADLINE.total_seconds()),
                borrowed(self._pool) as connection,
            ):
                left: timedelta | None = await connection.fetchval(self._sql(statement), *values)
                return left
        except TimeoutError:
            why = f"did not answer within {DEADLINE.total_seconds():g} s"
            raise DriverFailedError(f"{self._place}: {why}") from None
        except DatabaseUnavailableError as error:
            raise DriverFailedError(f"{self._place}: {error}{self._mend(error)}") from error

    def _mend(self, error: Exception) -> str:
        """What to do about it, where that is known."""
        match error.__cause__:
            case asyncpg.UndefinedTableError():
                return ". Does book.url lead to freqtrade's database?"
            case asyncpg.InsufficientPrivilegeError():
                return (
                    f". Run: grant select, insert, update (lock_end_time, active) on {self._table} "
                    "to our role; grant usage on its sequence to our role: `reconciler check` "
                    "prints them"
                )
        return ""
