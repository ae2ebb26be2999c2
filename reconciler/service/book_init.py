"""`book init`: what a database holds, the `[book]` section for it, and what `check` says of that.

Nothing is written: rows are looked at in read-only transactions, statements are only prepared and
planned.
"""

import contextlib
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import asyncpg

from reconciler.book.discovery.catalogue import Table
from reconciler.book.discovery.discovering import Proposal, looking, propose, tables_of
from reconciler.book.discovery.profiles import Accounts
from reconciler.book.discovery.proposal import Mapped, Part
from reconciler.book.discovery.reading import Reading, read_rows
from reconciler.book.discovery.recognition import (
    SCHEMA,
    TO_FILL_IN,
    Recognised,
    recognise,
)
from reconciler.book.discovery.section import STATEMENTS, own_section, preset_section
from reconciler.book.parameters import identifier
from reconciler.book.preset import Preset
from reconciler.book.statements import check_statements, why_not_permitted
from reconciler.domain.errors import (
    BookUnreadableError,
    DatabaseRefusedError,
    DatabaseUnavailableError,
    ReconcilerError,
)
from reconciler.domain.orders import OrderState
from reconciler.service.books import preset_of
from reconciler.settings.books import BookSettings
from reconciler.store.connecting import CONNECT_ERRORS, Connection, connect, message_of

MAIN = "main"


class NothingFoundError(ReconcilerError):
    """No table of a user in this database, or none that our role may see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for."""

    url: str
    schema: str | None
    accounts: tuple[str, ...]
    book: str = MAIN
    timezone: str | None = None
    preset: str | None = None
    """`own`: propose statements though a preset fits; or the preset's name."""

    @property
    def place(self) -> str:
        """The table of the configuration."""
        return "book" if self.book == MAIN else f"books.{self.book}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookReport:
    """What was found, the section, and whether the check accepts it."""

    preset: str | None
    """Recognised; None: statements are proposed."""
    also_fit: tuple[str, ...]
    tables: Mapping[str, str]
    mapped: Mapping[str, tuple[Mapped, ...]]
    untold: tuple[str, ...]
    assumed: tuple[str, ...]
    section: str
    refused: str | None
    """Why the check does not accept it."""
    not_permitted: tuple[str, ...]
    grants: tuple[str, ...]
    reading: Reading | None

    @property
    def status_words(self) -> tuple[str, ...]:
        """Words of the rows read that nobody mapped."""
        orders = self.reading.orders if self.reading is not None else ()
        return tuple(sorted({o.raw_status for o in orders if o.state is OrderState.UNMAPPED}))


async def look_at(wanted: Wanted) -> BookReport:
    """Look, recognise or propose, check. Raises NothingFoundError, DatabaseUnavailableError."""
    async with _connected(wanted.url) as connection:
        async with looking(connection):
            tables = await tables_of(connection, wanted.schema)
        if not tables:
            where = f"schema {wanted.schema}" if wanted.schema is not None else "the database"
            msg = f"{where} has no table of a bot, or this role may see none (grant usage, select)"
            raise NothingFoundError(msg)
        accounts = Accounts(names=wanted.accounts)
        fitting = await _fitting(connection, tables, wanted, accounts)
        async with looking(connection):
            proposal = await propose(
                connection, tables, accounts=accounts, timezone=wanted.timezone
            )
        own = await _of_proposal(connection, proposal, wanted)
        for recognised in fitting:
            report = await _of_preset(connection, recognised, wanted, fitting)
            asked = wanted.preset is not None
            if asked or _reads_as_well(report, own, is_loose=recognised.is_loose):
                return report
        return replace(own, also_fit=tuple(r.name for r in fitting))


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Connection]:
    try:
        connection = await connect(url)
    except CONNECT_ERRORS as error:
        detail = str(error).strip() or type(error).__name__
        raise DatabaseUnavailableError(f"the database did not answer: {detail}") from error
    try:
        yield connection
    except CONNECT_ERRORS as error:
        detail = str(error).strip() or type(error).__name__
        raise DatabaseUnavailableError(f"the database did not answer: {detail}") from error
    except asyncpg.PostgresError as error:
        msg = f"the database refused: {type(error).__name__}: {message_of(error)}"
        raise DatabaseRefusedError(msg) from error
    finally:
        connection.terminate()


async def _fitting(
    connection: Connection, tables: Sequence[Table], wanted: Wanted, accounts: Accounts
) -> list[Recognised]:
    found = await recognise(connection, tables, account=accounts.only, timezone=wanted.timezone)
    if wanted.preset is None:
        return found
    return [r for r in found if r.name == wanted.preset]


def _reads_as_well(report: BookReport, own: BookReport, *, is_loose: bool) -> bool:
    """A preset that fits by its columns may still mistake the words: then the proposal is better.

    Rows that it cannot read, statuses that it does not know, and of a preset for tables that many
    bots have alike, positions that it holds for open and the proposal for closed.
    """
    if own.refused is not None or own.reading is None or report.reading is None:
        return True
    if len(report.reading.unreadable) > len(own.reading.unreadable):
        return False
    if len(report.status_words) > len(own.status_words):
        return False
    theirs, ours = ({p.id for p in r.positions if p.open} for r in (report.reading, own.reading))
    return not is_loose or theirs == ours


async def _of_preset(
    connection: Connection,
    recognised: Recognised,
    wanted: Wanted,
    fitting: Sequence[Recognised],
) -> BookReport:
    parameters, assumed = dict(recognised.parameters), []
    if recognised.takes_account and wanted.accounts:
        parameters["account"] = wanted.accounts[0]
        assumed.append(f"every row is taken to be of the account {wanted.accounts[0]}")
    section = preset_section(
        recognised.name, place=wanted.place, parameters=parameters, timezone=wanted.timezone
    )
    book = _settings(section, wanted)
    preset = _preset(book, wanted)
    async with looking(connection):
        reading = await read_rows(connection, preset)
    assumed += [
        f"parameters.{name} is {value}, the most frequent value of the column of that name"
        for name, value in recognised.parameters.items()
        if name != SCHEMA and value != TO_FILL_IN
    ]
    asked = [name for name, value in parameters.items() if value == TO_FILL_IN]
    refused = f"not filled in yet: {', '.join(f'parameters.{name}' for name in asked)}"
    return BookReport(
        preset=recognised.name,
        also_fit=tuple(r.name for r in fitting if r is not recognised),
        tables={},
        mapped={},
        untold=recognised.untold,
        assumed=tuple(assumed),
        section=section,
        refused=refused if asked else await _why_refused(connection, book, wanted),
        not_permitted=tuple((await why_not_permitted(connection, preset)).values()),
        grants=(),
        reading=reading,
    )


async def _of_proposal(connection: Connection, proposal: Proposal, wanted: Wanted) -> BookReport:
    section = own_section(
        proposal.parts, place=wanted.place, untold=proposal.untold, assumed=proposal.assumed
    )
    book = _settings(section, wanted)
    lacking = [
        f"{part.what}.{key}"
        for part in proposal.parts
        for key in STATEMENTS[part.what]
        if key not in part.statements
    ]
    refused: str | None = f"not written yet: {', '.join(lacking)}"
    if not lacking:
        refused = await _why_refused(connection, book, wanted)
    reading: Reading | None = None
    not_permitted: tuple[str, ...] = ()
    if refused is None:
        preset = _preset(book, wanted)
        not_permitted = tuple((await why_not_permitted(connection, preset)).values())
        async with looking(connection):
            reading = await read_rows(connection, preset)
    return BookReport(
        preset=None,
        also_fit=(),
        tables={p.what: p.table.quoted for p in proposal.parts if p.table is not None},
        mapped={p.what: p.mapped for p in proposal.parts},
        untold=proposal.untold,
        assumed=proposal.assumed,
        section=section,
        refused=refused,
        not_permitted=not_permitted,
        grants=tuple(_grants(proposal.parts)),
        reading=reading,
    )


def _settings(section: str, wanted: Wanted) -> BookSettings:
    """The text as the configuration reads it: what is checked is what is written."""
    tree = tomllib.loads(section)
    told = tree["book"] if wanted.book == MAIN else tree["books"][wanted.book]
    return BookSettings.model_validate(told)


def _preset(book: BookSettings, wanted: Wanted) -> Preset:
    return preset_of(book, account=Accounts(names=wanted.accounts).only)


async def _why_refused(connection: Connection, book: BookSettings, wanted: Wanted) -> str | None:
    """What `reconciler check` says of these statements, or None."""
    try:
        await check_statements(connection, _preset(book, wanted))
    except BookUnreadableError as error:
        return str(error)
    return None


def _grants(parts: Sequence[Part]) -> Iterator[str]:
    """The least that the daemon's role needs of the tables; ROLE is for the person to fill in."""
    tables = [part.table for part in parts if part.table is not None]
    for schema in sorted({table.schema for table in tables}):
        yield f"grant usage on schema {identifier(schema)} to ROLE;"
    if tables:
        yield f"grant select on {', '.join(table.quoted for table in tables)} to ROLE;"
    for part in parts:
        if part.table is not None and part.writes:
            yield (
                f"grant update ({', '.join(part.writes)}) on {part.table.quoted} to ROLE;"
                '  -- for mode = "enforce"'
            )
