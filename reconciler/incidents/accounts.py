"""Accounts: who judges them, and pauses (judged, not acted on, with an end)."""

from collections import defaultdict
from datetime import timedelta

from reconciler.incidents.answers import AccountRow, Done, PauseFacts
from reconciler.incidents.desk import Actor, Desk, checked_note
from reconciler.incidents.errors import RefusedError, UsageError
from reconciler.incidents.operating import SQL, operating
from reconciler.store.connecting import borrowed
from reconciler.store.queries import queries

PAUSED_FOR = timedelta(hours=2)
LONGEST_PAUSE = timedelta(days=30)
"""A pause without an end is an account that nobody guards: longer ones are said again."""
SHORTEST_PAUSE = timedelta(seconds=1)


async def list_accounts(desk: Desk) -> tuple[AccountRow, ...]:
    """Every configured account."""
    async with borrowed(desk.pool) as connection:
        pauses = {r["account"]: r for r in await connection.fetch(SQL["pauses"])}
        holders = {r["account"]: r["holder"] for r in await connection.fetch(SQL["lease_holders"])}
        counted = await connection.fetch(SQL["count_open_by_account"])
        quarantined = await connection.fetch(SQL["count_quarantined_by_account"])
        contained = await connection.fetch(SQL["count_contained_by_account"])
    incidents: dict[str, dict[str, int]] = defaultdict(dict)
    for row in counted:
        incidents[row["account"]][row["severity"]] = row["n"]
    orders = {r["account"]: r["n"] for r in quarantined}
    profiles = {r["account"]: r["n"] for r in contained}
    return tuple(
        AccountRow(
            name=name,
            venue=account.venue,
            book=account.book,
            mode="paused" if name in pauses else desk.mode,
            pause=None
            if name not in pauses
            else PauseFacts(
                until=pauses[name]["until"],
                paused_by=pauses[name]["paused_by"],
                paused_at=pauses[name]["paused_at"],
                note=pauses[name]["note"],
            ),
            judged_by=holders.get(name),
            incidents_open=dict(incidents.get(name, {})),
            quarantined=orders.get(name, 0),
            contained_profiles=profiles.get(name, 0),
        )
        for name, account in desk.accounts.items()
    )


async def pause(
    desk: Desk,
    actor: Actor,
    account: str,
    *,
    duration: timedelta = PAUSED_FOR,
    note: str = "",
) -> Done:
    """From now on the account is judged and not acted on, by a look under way too; the end is by
    the database clock. A standing pause gets the new end. Raises NotFoundError, UsageError.
    """
    desk.account(account)
    note = checked_note(note)
    if not SHORTEST_PAUSE <= duration <= LONGEST_PAUSE:
        raise UsageError(f"a pause lasts from 1 s to {LONGEST_PAUSE.days} days")
    async with operating(
        desk, actor, "accounts pause", target=account, account=account
    ) as operation:
        # A writing pass holds the lease: what it does is done before this, or not at all.
        await operation.connection.fetchrow(queries("leases")["lock"], account)
        until = await operation.connection.fetchval(
            SQL["pause"], account, duration, actor.who, operation.text(note)
        )
        operation.details = {"until": until, "note": note}
        await operation.announce(
            {"event": "account_paused", "account": account, "until": until, "by": actor.who}
        )
        return operation.done(
            f"account {account} is judged and not acted on until {until:%Y-%m-%d %H:%M:%S} UTC"
        )


async def resume(desk: Desk, actor: Actor, account: str, *, note: str = "") -> Done:
    """Acted on again, from the next look on. Raises NotFoundError, RefusedError."""
    desk.account(account)
    note = checked_note(note)
    async with operating(
        desk, actor, "accounts resume", target=account, account=account
    ) as operation:
        if not await operation.connection.fetchval(SQL["resume"], account):
            raise RefusedError(f"account {account} is not paused")
        operation.details = {"note": note}
        await operation.announce({"event": "account_resumed", "account": account, "by": actor.who})
        return operation.done(f"account {account} is acted on again")
