"""Known manual positions and orders: never judged."""

from collections.abc import Iterator

from reconciler.incidents.answers import Done, IgnoreRow
from reconciler.incidents.desk import LONGEST_NAME, Actor, Desk, checked_note
from reconciler.incidents.errors import NotFoundError, RefusedError, UsageError
from reconciler.incidents.operating import SQL, operating
from reconciler.store.connecting import borrowed

WORDS = {"symbol": "symbol", "order": "venue_order_id", "venue_order_id": "venue_order_id"}


async def list_ignores(desk: Desk, *, account: str | None = None) -> tuple[IgnoreRow, ...]:
    """Those of the configuration and those of the desk."""
    if account is not None:
        desk.account(account)
    async with borrowed(desk.pool) as connection:
        rows = await connection.fetch(SQL["ignores"], account)
    ours = (
        IgnoreRow(
            account=row["account"],
            what=row["what"],
            value=row["value"],
            source="desk",
            ignored_by=row["ignored_by"],
            ignored_at=row["ignored_at"],
            note=row["note"],
        )
        for row in rows
    )
    return (*_configured(desk, account), *ours)


async def add_ignore(
    desk: Desk, actor: Actor, account: str, *, what: str, value: str, note: str = ""
) -> Done:
    """From the next look on it is not judged. `what`: `symbol`, or `order` by its venue id.

    Raises NotFoundError, UsageError; RefusedError where it is ignored already.
    """
    word, value, note = _checked(desk, account, what, value), value.strip(), checked_note(note)
    async with operating(
        desk, actor, "ignore add", target=f"{word} {value}", account=account
    ) as operation:
        known = (word, value) in {(i.what, i.value) for i in _configured(desk, account)}
        added = None
        if not known:
            added = await operation.connection.fetchval(
                SQL["add_ignore"], account, word, value, actor.who, operation.text(note)
            )
        if added is None:
            where = "in the configuration" if known else "at the desk"
            raise RefusedError(f"{word} {value} of account {account} is ignored already, {where}")
        operation.details = {"note": note}
        await operation.announce(
            {"event": "ignore_added", "account": account, "what": word, "value": value}
        )
        return operation.done(f"{word} {value} of account {account} is not judged any more")


async def remove_ignore(
    desk: Desk, actor: Actor, account: str, *, what: str, value: str, note: str = ""
) -> Done:
    """Judged again from the next look on. Raises NotFoundError, RefusedError, UsageError."""
    word, value, note = _checked(desk, account, what, value), value.strip(), checked_note(note)
    async with operating(
        desk, actor, "ignore remove", target=f"{word} {value}", account=account
    ) as operation:
        gone = await operation.connection.fetchval(SQL["remove_ignore"], account, word, value)
        if (word, value) in {(i.what, i.value) for i in _configured(desk, account)}:
            raise RefusedError(
                f"{word} {value} is ignored by the configuration: take it out of "
                f"[accounts.{account}.ignore] and restart the daemon"
            )
        if gone is None:
            raise NotFoundError(f"{word} {value} of account {account} is not ignored")
        operation.details = {"note": note}
        await operation.announce(
            {"event": "ignore_removed", "account": account, "what": word, "value": value}
        )
        return operation.done(f"{word} {value} of account {account} is judged again")


def _checked(desk: Desk, account: str, what: str, value: str) -> str:
    desk.account(account)
    if what not in WORDS:
        raise UsageError(f"{what!r} cannot be ignored: say symbol or order")
    kept = value.strip()
    if not kept or len(kept) > LONGEST_NAME or not kept.isprintable():
        raise UsageError(f"a {what} has 1 to {LONGEST_NAME} printable characters")
    if desk.redact(kept) != kept:
        raise UsageError(f"a {what} holds no secret, and this one does")
    return WORDS[what]


def _configured(desk: Desk, account: str | None) -> Iterator[IgnoreRow]:
    for name, watched in desk.accounts.items():
        if account not in (None, name):
            continue
        for word, values in (
            ("symbol", watched.ignored_symbols),
            ("venue_order_id", watched.ignored_order_ids),
        ):
            for value in values:
                yield IgnoreRow(
                    account=name,
                    what=word,
                    value=value,
                    source="configuration",
                    ignored_by=None,
                    ignored_at=None,
                    note="",
                )
