"""A pass over an account at once, asked for by a person."""

from reconciler.domain.identity import AccountName
from reconciler.incidents.answers import Done
from reconciler.incidents.desk import Actor, Desk
from reconciler.incidents.operating import operating
from reconciler.store.queries import queries

SQL = queries("requests")


async def request_pass(desk: Desk, actor: Actor, account: str | None = None) -> Done:
    """Ask whichever daemon judges the account, by a row that each hears; None: every account.

    Raises NotFoundError for an account that is not configured; DatabaseUnavailableError.
    """
    if account is not None:
        desk.account(account)
    named = AccountName(account) if account is not None else None
    async with operating(
        desk, actor, "reconcile", target=account or "", account=named
    ) as operation:
        await operation.connection.execute(SQL["ask"], account or "", actor.who)
        whose = f"account {account}" if account else f"{len(desk.accounts)} accounts"
        return operation.done(f"a pass over {whose} is asked for")
