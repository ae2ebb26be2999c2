"""Whether the bots could be told to enter no more trades: nobody wants to learn it from a ghost."""

from reconciler.book.postgres import PostgresBook
from reconciler.book.preset import Preset
from reconciler.deactivation.choosing import why_doubtful
from reconciler.deactivation.freqtrade_pairlock import FreqtradePairlock
from reconciler.deactivation.freqtrade_rest import FreqtradeRest
from reconciler.deactivation.webhook import Webhook
from reconciler.domain.deactivation import Deactivation
from reconciler.domain.errors import DriverFailedError, ReconcilerError
from reconciler.domain.identity import AccountName, BookName, ProfileId, Symbol
from reconciler.service.assembly import Assembly
from reconciler.service.checks.books import asked, topic_of
from reconciler.service.checks.lines import Level, Line
from reconciler.store.connecting import Connection

MENDS = {
    FreqtradeRest.name: "see that the bot runs with its api_server enabled, that deactivation.url "
    "leads there from this host, and that username and password are its own",
    FreqtradePairlock.name: "see the lines on rights, and that the book's url leads to freqtrade's "
    "own database",
    Webhook.name: "see that deactivation.url and confirm_url lead to the bot from this host, and "
    "that it takes our signature",
}


async def driver_lines(assembly: Assembly, name: BookName) -> list[Line]:
    """One look at the bot; nothing is asked of it."""
    book, topic = assembly.books[name], topic_of(name)
    what = f"{topic}, deactivation"
    if book.why_no_deactivation is not None:
        says = "nobody is stopped where a ghost is found: its incident says not_contained"
        mend = f"{book.why_no_deactivation} (docs/connect-your-bot.md)"
        return [Line(level="warn", what=what, says=says, mend=mend, topic=topic)]
    driver = book.driver
    if not isinstance(driver, FreqtradeRest | FreqtradePairlock | Webhook):
        return []  # its own UPDATE: the lines on rights tell
    given = assembly.settings.all_books[name].deactivation
    lines = [
        Line(level="warn", what=what, says=why, mend="use https", topic=topic)
        for why in (why_doubtful(given) if given is not None else ())
    ]
    wanted = await _somebody(book) if isinstance(driver, Webhook) else None
    try:
        look = await driver.look(wanted)
    except DriverFailedError as error:
        level: Level = "fail" if assembly.settings.mode == "enforce" else "warn"
        says = f"{driver.name}: {error}: a ghost there would stay not_contained"
        return [
            *lines,
            Line(level=level, what=what, says=says, mend=MENDS[driver.name], topic=topic),
        ]
    level = "warn" if look.mend else "ok"
    says = f"{driver.name}: {look.says}"
    return [*lines, Line(level=level, what=what, says=says, mend=look.mend, topic=topic)]


async def _somebody(book: PostgresBook) -> Deactivation | None:
    """Some profile of the book, to be read back; None: it has none, or cannot be read."""

    async def question(connection: Connection, preset: Preset) -> Deactivation | None:
        row = await connection.fetchrow(preset.profiles_select)
        return None if row is None else _of(book.name, str(row["id"]), str(row["account"]))

    try:
        return await asked(book, question)
    except ReconcilerError:
        return None  # told by the lines on the statements


def _of(book: BookName, profile: str, account: str) -> Deactivation:
    return Deactivation(
        book=book,
        account=AccountName(account),
        profile_id=ProfileId(profile),
        symbol=Symbol(""),
        incident_id=0,
        reason="reconciler check",
        key="reconciler-check",
    )
