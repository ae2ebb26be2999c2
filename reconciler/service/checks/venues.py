"""The accounts at their venues: reach, coverage, clock, and what the key may do."""

from datetime import UTC, datetime

from reconciler.domain.errors import VenueMisconfiguredError, VenueUnavailableError
from reconciler.domain.identity import AccountName
from reconciler.domain.snapshot import AnswerKind, Completeness, Snapshot
from reconciler.service.assembly import Assembly, accounts_with_one_key
from reconciler.service.checks.database import skew_line
from reconciler.service.checks.lines import Level, Line, listed
from reconciler.settings.people import PolicySettings
from reconciler.venue.account import CcxtAccount
from reconciler.venue.descriptions.key_rights import ALWAYS_TRADE, NO_KEY
from reconciler.venue.key_rights import KeyRights

NOT_THERE = frozenset({AnswerKind.UNSUPPORTED})
"""Answers that mean that this host has no such call: a test network."""


def topic_of(account: AccountName) -> str:
    """The heading of an account's lines."""
    return f"account {account}"


def same_key_lines(assembly: Assembly) -> list[Line]:
    """Two names for one account would each call the other's positions ghosts."""
    return [
        Line(
            level="warn",
            what=" and ".join(names),
            says="the same venue and key: each would see the other's positions as ghosts",
            mend="one [accounts.…] table per key, or disjoint `symbols` in each",
            topic="accounts",
        )
        for names in accounts_with_one_key(assembly.settings)
    ]


async def venue_lines(assembly: Assembly, account: AccountName) -> list[Line]:
    """One look, and one question after the key's rights."""
    venue, what = assembly.venues[account], topic_of(account)
    try:
        await venue.prepare()
        snapshot = await venue.snapshot(now=datetime.now(UTC))
    except VenueMisconfiguredError as error:
        return [Line(level="fail", what=what, says=str(error), topic=what)]
    except VenueUnavailableError as error:
        mend = "check the network and the venue's status"
        return [Line(level="fail", what=what, says=str(error), mend=mend, topic=what)]
    lines = _scopes(what, snapshot)
    lines.append(await _key(assembly, account, venue))
    if snapshot.venue_clock_skew is not None:
        clock = f"clock of the venue of {account}"
        lines.append(skew_line(clock, snapshot.venue_clock_skew, assembly, topic=what))
    lines += [
        Line(level="warn", what=what, says=f"not covered: {gap}", topic=what)
        for gap in snapshot.not_covered
    ]
    return lines


def _scopes(what: str, snapshot: Snapshot) -> list[Line]:
    lines = []
    for name, scope in snapshot.scopes.items():
        if scope.completeness is Completeness.COMPLETE:
            says = f"{name}: complete, {scope.rows} rows"
            lines.append(Line(level="ok", what=what, says=says, topic=what))
        else:
            why = scope.failure.detail if scope.failure is not None else "unknown"
            lines.append(
                Line(
                    level="fail",
                    what=what,
                    says=f"{name}: {scope.completeness} ({why})",
                    mend="check the key's rights and the venue's status",
                    topic=what,
                )
            )
    return lines


async def _key(assembly: Assembly, account: AccountName, venue: CcxtAccount) -> Line:
    what, name = f"account {account}, key", assembly.settings.accounts[account].venue
    topic = topic_of(account)
    try:
        rights = await venue.key_rights()
    except VenueUnavailableError as error:
        level: Level = "ok" if error.failure.kind in NOT_THERE else "warn"
        says = f"{name} did not tell its rights: {error}"
        return Line(level=level, what=what, says=says, topic=topic)
    if rights is None:
        return Line(level="ok", what=what, says=_untold(name), topic=topic)
    level, says, mend = _judged(rights, assembly.settings.policy)
    return Line(level=level, what=what, says=says, mend=mend, topic=topic)


def _untold(venue: str) -> str:
    if venue in NO_KEY:
        return f"{venue} is read by an address alone: there is no key that could do more"
    if venue in ALWAYS_TRADE:
        return f"{venue} does not tell the rights of a key: all of its keys can trade"
    return f"{venue} does not tell the rights of this key: see that it only reads"


def _judged(rights: KeyRights, policy: PolicySettings) -> tuple[Level, str, str]:
    """The level, what it means, and the mend."""
    if rights.only_reads:
        return "ok", "it only reads", ""
    acts = "operator" in {policy.cancel_stuck_orders, policy.close_ghosts}
    may = [
        f"{verb} ({listed(words)})"
        for verb, words in (
            ("withdraw", rights.withdraws),
            ("trade", rights.trades),
            ("move money between the account's parts", rights.moves),
            ("do what is not known here", rights.others),
        )
        if words
    ]
    says = f"it can {', '.join(may)}"
    if acts and rights.trades and not (rights.withdraws or rights.moves or rights.others):
        return "ok", f"{says}: [policy] lets operators act at the venue, and needs that", ""
    needed = "a key without withdrawals" if acts else "a key that only reads"
    return "warn", says, f"make {needed} at the venue: whoever takes it from here can do the same"
