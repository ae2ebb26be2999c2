"""What a write transaction keeps of containments, backlogs and people's decisions."""

from collections.abc import Iterable
from datetime import timedelta

from reconciler.domain.backlogs import BacklogSample
from reconciler.domain.containments import Containment
from reconciler.domain.decisions import Acceptance, Pause
from reconciler.domain.identity import AccountName, ProfileId
from reconciler.domain.reenabled import RELEASED, reenabled_notice
from reconciler.store.incident_record import RECORDS, IncidentRecord
from reconciler.store.queries import queries

DECISIONS = queries("decisions")


class DecisionRecord(IncidentRecord):
    """Containments, backlogs, acceptances."""

    async def add_containment(
        self,
        *,
        profile_id: ProfileId,
        incident_id: int,
        reason: str,
        status_before: str,
        held: Iterable[str] = (),
        driver_key: str | None = None,
    ) -> bool:
        """One contained profile; True if it had been contained for this incident before.

        `driver_key`: it is pending until its bot confirms; what the bot knows it by.
        """
        row = await self.connection.fetchrow(
            RECORDS["add_containment"],
            self._book,
            profile_id,
            self._account,
            incident_id,
            reason,
            status_before,
            sorted(held),
            driver_key,
        )
        assert row is not None
        return bool(row["again"])

    async def keep_parity(self, containments: Iterable[Containment]) -> None:
        """How many complete looks in a row agreed, as these say."""
        kept = list(containments)
        await self.connection.execute(
            DECISIONS["keep_parity"],
            [c.id for c in kept],
            [c.parity_streak for c in kept],
            [c.parity_seen_at for c in kept],
        )

    async def release_containment(self, containment: Containment, *, by: str, why: str) -> None:
        """It trades again: the row, the timeline, a notice."""
        if not await self.connection.fetchval(DECISIONS["release_containment"], containment.id, by):
            return
        if containment.incident_id is not None:
            await self.add_event(containment.incident_id, "released", why)
        told = reenabled_notice(
            event=RELEASED,
            book=self._book,
            account=self._account,
            profile_id=containment.profile_id,
            incident_id=containment.incident_id,
            by=by,
            why=why,
            mark=containment.id,
        )
        await self.notify(told["key"], containment.incident_id, told)

    async def heed_pause(self) -> Pause | None:
        """A pause that stands now; what this transaction records is recorded as paused then."""
        row = await self.connection.fetchrow(DECISIONS["pause"], self._account)
        if row is None:
            return None
        self._mode = "paused"
        return Pause(paused_by=row["paused_by"], until=row["until"])

    async def use_acceptance(self, acceptance: Acceptance) -> None:
        """What a person let through is through."""
        await self.connection.execute(DECISIONS["use_acceptance"], acceptance.id, self._run)

    async def keep_backlog(self, samples: Iterable[BacklogSample]) -> None:
        """Stale orders of this account's profiles; those of days ago go."""
        kept = list(samples)
        await self.connection.execute(
            DECISIONS["keep_backlog"],
            self._book,
            self._account,
            [s.profile_id for s in kept],
            [s.at for s in kept],
            [s.stale for s in kept],
        )
        await self.connection.execute(DECISIONS["prune_backlog"], self._book, self._account)

    async def backlog_elsewhere(self, *, within: timedelta) -> tuple[BacklogSample, ...]:
        """Stale orders of the book's other accounts, over the time before now."""
        rows = await self.connection.fetch(
            DECISIONS["backlog_elsewhere"], self._book, self._account, within
        )
        return tuple(
            BacklogSample(
                account=AccountName(row["account"]),
                profile_id=ProfileId(row["profile_id"]),
                at=row["at"],
                stale=row["stale"],
            )
            for row in rows
        )
