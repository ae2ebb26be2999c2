"""What the book's rows say: words, accounts, profiles and markets that do not meet the settings."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from reconciler.book.inspection.contents import Contents, RowGroup, contents_of
from reconciler.domain.book import INACTIVE_WORDS
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import AccountName, BookName
from reconciler.domain.orders import OrderState
from reconciler.rules.vocabulary import state_of
from reconciler.service.assembly import Assembly
from reconciler.service.checks.books import asked, topic_of
from reconciler.service.checks.lines import Line, answered, counted, listed

CONTENTS_WITHIN = timedelta(seconds=60)
ACTIVE_WORDS = frozenset(
    {"active", "enabled", "running", "live", "started", "open", "on", "true", "trading"}
)
"""Any word that is not inactive is taken as active; these are not worth a line."""


async def row_lines(assembly: Assembly, name: BookName) -> list[Line]:
    """Lines about the rows of a book whose statements fit."""
    topic = topic_of(name)
    return await answered(
        _lines(assembly, name),
        what=f"{topic}, rows",
        topic=topic,
        within=CONTENTS_WITHIN,
        level="warn",
    )


async def _lines(assembly: Assembly, name: BookName) -> list[Line]:
    contents = await asked(assembly.books[name], contents_of)
    return [
        *_words(assembly, name, contents),
        *_profiles(name, contents),
        *_accounts(assembly, name, contents),
        *_strays(assembly, name, contents),
        *_unreadable(name, contents),
        *_symbols(assembly, name, contents),
    ]


def _section(name: BookName) -> str:
    return "book" if name == "main" else f"books.{name}"


def _words(assembly: Assembly, name: BookName, contents: Contents) -> list[Line]:
    added = assembly.books[name].preset.vocabulary
    orders = [group for group in contents.rows if group.table == "orders"]
    unmapped = _sum(
        (group.status or "no status", group.rows)
        for group in orders
        if state_of(group.status, added=added) is OrderState.UNMAPPED
    )
    what, topic = f"{topic_of(name)}, status words", topic_of(name)
    if not unmapped:
        says = f"the words of all {sum(g.rows for g in orders)} orders are known"
        return [Line(level="ok", what=what, says=says, topic=topic)]
    word = next(iter(unmapped))
    return [
        Line(
            level="warn",
            what=what,
            says=f"{sum(unmapped.values())} orders have a status that is not known: "
            f"{counted(unmapped)}; they are reported, and their account is never parity",
            mend=f'say what it means: [{_section(name)}.vocabulary] "{word}" = '
            f'"{" | ".join(s for s in OrderState if s is not OrderState.UNMAPPED)}"',
            topic=topic,
        )
    ]


def _profiles(name: BookName, contents: Contents) -> list[Line]:
    known = ACTIVE_WORDS | INACTIVE_WORDS
    unmapped = _sum(
        (group.status or "no status", group.profiles)
        for group in contents.profiles
        if group.status.strip().lower() not in known
    )
    what, topic = f"{topic_of(name)}, profile statuses", topic_of(name)
    if not unmapped:
        total = sum(group.profiles for group in contents.profiles)
        says = f"the statuses of all {total} profiles are known"
        return [Line(level="ok", what=what, says=says, topic=topic)]
    return [
        Line(
            level="warn",
            what=what,
            says=f"profiles with a status that is not known: {counted(unmapped)}; "
            "each is taken as one that enters trades",
            mend="where it enters none, give it one that is known in profiles.select: "
            "case status when '…' then 'inactive' else status end",
            topic=topic,
        )
    ]


def _accounts(assembly: Assembly, name: BookName, contents: Contents) -> list[Line]:
    settings, topic = assembly.settings, topic_of(name)
    what = f"{topic}, accounts"
    ours = {a for a, each in settings.accounts.items() if each.book == name}
    named = _sum((group.account, group.profiles) for group in contents.profiles)
    lines = []
    unknown = {account: n for account, n in named.items() if account not in settings.accounts}
    if unknown:
        lines.append(
            Line(
                level="warn",
                what=what,
                says=f"{sum(unknown.values())} profiles are of accounts that are not configured: "
                f"{counted(unknown)}; nothing of theirs is looked at",
                mend=f"add [accounts.{next(iter(unknown))}] with venue and key, or mend the "
                "account that profiles.select returns",
                topic=topic,
            )
        )
    elsewhere = {
        account: n
        for account, n in named.items()
        if account in settings.accounts and account not in ours
    }
    if elsewhere:
        lines.append(
            Line(
                level="warn",
                what=what,
                says=f"profiles of accounts that are of another book: {counted(elsewhere)}",
                mend=f'set accounts.{next(iter(elsewhere))}.book = "{name}", '
                "or mend profiles.select",
                topic=topic,
            )
        )
    lonely = sorted(ours - set(named))
    if lonely:
        lines.append(
            Line(
                level="warn",
                what=what,
                says=f"accounts without a profile: {listed(lonely)}; whatever is held there is a "
                "ghost, and there is nobody to stop",
                mend="is the name in profiles.select another than in [accounts.…]? "
                f"It says {listed(sorted(named)) or 'none'}",
                topic=topic,
            )
        )
    says = f"each of {len(named)} accounts is configured, and has a profile"
    return lines or [Line(level="ok", what=what, says=says, topic=topic)]


def _strays(assembly: Assembly, name: BookName, contents: Contents) -> list[Line]:
    strays = _sum((g.table, g.rows) for g in _live(assembly, name, contents) if g.account is None)
    if not strays:
        return []
    topic = topic_of(name)
    return [
        Line(
            level="warn",
            what=f"{topic}, profiles",
            says=f"open rows of profiles that do not exist: {counted(strays)}; "
            "they stand against every verdict that they could explain",
            mend="mend profile_id in the statements, or have the bot end those rows",
            topic=topic,
        )
    ]


def _unreadable(name: BookName, contents: Contents) -> list[Line]:
    topic = topic_of(name)
    what = f"{topic}, rows"
    if not contents.unreadable:
        return [Line(level="ok", what=what, says="each that was tried can be read", topic=topic)]
    return [
        Line(
            level="warn",
            what=what,
            says=f"rows that cannot be read: {counted(contents.unreadable, most=3)}; "
            "what they are about is not judged",
            mend="mend the rows, or convert the column in the statement",
            topic=topic,
        )
    ]


def _symbols(assembly: Assembly, name: BookName, contents: Contents) -> list[Line]:
    lines = []
    for each, account in assembly.settings.accounts.items():
        if account.book == name:
            groups = [g for g in _live(assembly, name, contents) if g.account == each and g.symbol]
            lines += _symbols_at(assembly, name, AccountName(each), groups)
    return lines


def _symbols_at(
    assembly: Assembly, name: BookName, account: AccountName, groups: list[RowGroup]
) -> list[Line]:
    venue, topic = assembly.venues[account], topic_of(name)
    what, place = f"{topic}, symbols of {account}", assembly.settings.accounts[account].venue
    if not groups:
        return []
    try:
        listing = {s: venue.lists(venue.symbol_of(s)) for g in groups if (s := g.symbol)}
    except ReconcilerError:
        listing = {}
    unknown = _sum((g.symbol or "", g.rows) for g in groups if listing.get(g.symbol or "") is False)
    if unknown:
        says = f"{sum(unknown.values())} open rows name markets that {place} does not list: "
        mend = "write the symbol as ccxt or the venue does (docs/connect-your-bot.md), in the row "
        mend += "or in the statement; of a market that was delisted, have the bot end the row"
        says += f"{counted(unknown)}; nothing is judged against them"
        return [Line(level="warn", what=what, says=says, mend=mend, topic=topic)]
    if all(known is None for known in listing.values()):
        says = f"not looked at: the markets of {place} are not known"
        return [Line(level="ok", what=what, says=says, topic=topic)]
    says = f"{place} lists the markets of all {sum(g.rows for g in groups)} open rows"
    return [Line(level="ok", what=what, says=says, topic=topic)]


def _live(assembly: Assembly, name: BookName, contents: Contents) -> list[RowGroup]:
    """Rows that are not over."""
    added = assembly.books[name].preset.vocabulary
    return [
        group
        for group in contents.rows
        if group.is_open
        and not (group.table == "orders" and state_of(group.status, added=added).is_terminal)
    ]


def _sum(pairs: Iterable[tuple[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for word, number in pairs:
        total[word] += number
    return Counter(dict(total.most_common()))
