"""The statements of profiles: whose rows these are, and how one is told to enter no more trades."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.book.discovery.catalogue import Column, Kind, Table, literal
from reconciler.book.discovery.expressions import Notes, time_of
from reconciler.book.discovery.matching import Match
from reconciler.book.discovery.names import plain, word_set, words_of
from reconciler.book.discovery.proposal import NOT_OURS, Mapped, Part
from reconciler.book.discovery.sampling import Sample, Values
from reconciler.domain.book import INACTIVE_WORDS

ROW = "p"
ALSO_INACTIVE = word_set(
    "halted suspended terminated killed finished ended offline draft canceled cancelled "
    "closed stop pause inactivo detenido pausado disabled_by_user not_running shutdown "
    "retired"
)
ACTIVE = word_set("active running enabled on live started trading true online activo run open")
TO_WRITE = (
    "inactive",
    "paused",
    "stopped",
    "disabled",
    "halted",
    "suspended",
    "off",
    "pause",
    "inactivo",
    "pausado",
    "detenido",
)
"""What stops entries, the mildest first; never a word such as `deleted`."""
NO_WAY = (
    "nothing says whether a profile may enter trades: the daemon cannot stop it, and says "
    "not_contained in the incident of each ghost"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Accounts of the configuration, for what the book calls them."""

    names: Sequence[str]
    """Configured, or given with --account."""

    @property
    def only(self) -> str:
        """The one that rows without any other word belong to."""
        return self.names[0] if len(self.names) == 1 else "main"


def literal_profiles(ids: Sequence[str], accounts: Accounts, notes: Notes) -> Part:
    """Profiles for a book that has no table of them."""
    notes.untold.append(f"no table of profiles was found: {NO_WAY}")
    if len(accounts.names) > 1 and not set(ids) <= set(accounts.names):
        notes.untold.append(
            f"which of the accounts {', '.join(accounts.names)} each profile trades on cannot be "
            "told: write it into profiles.select"
        )
    rows = ",\n             ".join(
        f"({literal(i)}, {literal(i if i in accounts.names else accounts.only)}, 'active')"
        for i in ids
    )
    return Part(
        what="profiles",
        table=None,
        statements={
            "select": "select v.id, v.account, v.status\n"
            f"from (values {rows}) as v(id, account, status)",
            "deactivate": NOT_OURS,
            "activate": NOT_OURS,
        },
    )


def propose_profiles(
    table: Table,
    key: Column,
    matches: Mapping[str, Match],
    sample: Sample,
    *,
    accounts: Accounts,
    notes: Notes,
) -> Part:
    """`profiles.select`, `.deactivate` and `.activate`."""
    named = _named_as_configured(table, sample, accounts)
    account = (
        named.text(ROW)
        if named is not None
        else _account(_account_match(table, matches), sample, accounts, notes)
    )
    if {"user", "owner", "tenant"} & set(words_of(table.name)):
        notes.untold.append(
            f"profiles are the rows of {table.quoted}: does setting one inactive stop its bot from "
            'entering trades? If not, write "none" for deactivate and activate'
        )
    status, deactivate, activate, writes = _statements(table, key, matches, sample, notes)
    lines = [f"{key.text(ROW)} as id", f"{account} as account", f"{status} as status"]
    for role in ("name", "risk_limit"):
        match = matches.get(role)
        if match is not None and match.column is not key:
            lines.append(f"{match.column.of(ROW)} as {role}")
    names = {"id": "id", "account": "account", "status": _status_role(matches) or "status"}
    return Part(
        what="profiles",
        table=table,
        statements={
            "select": f"select {', '.join(lines)}\nfrom {table.quoted} {ROW}",
            "deactivate": deactivate,
            "activate": activate,
        },
        mapped=tuple(
            Mapped.of(name, name if name != "status" else role, matches.get(role), table)
            for name, role in names.items()
        ),
        writes=writes,
    )


def _named_as_configured(table: Table, sample: Sample, accounts: Accounts) -> Column | None:
    """A column that holds names of configured accounts, and nothing else."""
    for column in table.columns:
        words = set(sample.of(column).words)
        if column.kind in (Kind.TEXT, Kind.ENUM) and words and words <= set(accounts.names):
            return column
    return None


def _account_match(table: Table, matches: Mapping[str, Match]) -> Match | None:
    """A table of accounts has names of its own; others say on which account they trade."""
    if "account" in words_of(table.name) and "name" in matches:
        return matches["name"]
    return matches.get("account")


def _account(match: Match | None, sample: Sample, accounts: Accounts, notes: Notes) -> str:
    """The account's name in the configuration."""
    if match is None:
        if len(accounts.names) > 1:
            notes.untold.append(
                f"no column says which of {', '.join(accounts.names)} a profile trades on: every "
                f"one is taken to trade on {accounts.only}"
            )
        return literal(accounts.only)
    column, values = match.column, sample.of(match.column)
    words = list(values.words)
    if words and all(word in accounts.names for word in words):
        return column.text(ROW)
    if len(words) <= 1 and len(accounts.names) <= 1:
        if not words:
            return column.text(ROW) if not accounts.names else literal(accounts.only)
        notes.assumed.append(f"{column.name} {words[0]} is the account {accounts.only}")
        return _renamed(column, {words[0]: accounts.only})
    renamed = {word: _as_name(word) for word in words if _as_name(word) != word}
    notes.untold.append(
        f"{column.name} holds {', '.join(words[:10])}: name the accounts of the configuration "
        f"[accounts.{_as_name(words[0]) if words else '…'}] and so on, or write their names into "
        "profiles.select"
    )
    return _renamed(column, renamed) if renamed else column.text(ROW)


def _renamed(column: Column, names: Mapping[str, str]) -> str:
    value = column.text(ROW)
    whens = " ".join(f"when {literal(was)} then {literal(name)}" for was, name in names.items())
    return f"case {value} {whens} else {value} end"


def _as_name(word: str) -> str:
    """As the name of a table in the configuration can be written."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", word).strip("-_.") or "main"


def _status_role(matches: Mapping[str, Match]) -> str | None:
    return next((r for r in ("status", "is_active", "is_paused") if r in matches), None)


def _statements(
    table: Table, key: Column, matches: Mapping[str, Match], sample: Sample, notes: Notes
) -> tuple[str, str, str, tuple[str, ...]]:
    """What says the status, the two UPDATEs, and the columns that they write."""
    status = matches["status"].column if "status" in matches else None
    if status is not None and _is_of_words(status, sample.of(status)):
        found = _by_word(
            table,
            key,
            status,
            sample.of(status),
            touch=_touch(matches, notes),
            notes=notes,
        )
        if found is not None:
            return found
    for role, on in (("is_active", "true"), ("is_paused", "false")):
        if role in matches and not table.is_view:
            return _by_flag(table, key, matches[role].column, on=on, touch=_touch(matches, notes))
    notes.untold.append(f"{table.quoted}: {NO_WAY}")
    return "'active'", NOT_OURS, NOT_OURS, ()


def _touch(matches: Mapping[str, Match], notes: Notes) -> str:
    match = matches.get("updated_at")
    if match is None or match.column.kind not in (Kind.INSTANT, Kind.NAIVE):
        return ""
    now = time_of(match.column, Values(rows=0, words={}), zone="UTC", notes=notes).now()
    return f", {match.column.quoted} = {now}" if now is not None else ""


def _is_of_words(status: Column, values: Values) -> bool:
    words = {plain(word) for word in (*values.words, *status.labels)}
    known = words & (ACTIVE | INACTIVE_WORDS | ALSO_INACTIVE)
    return status.kind in (Kind.TEXT, Kind.ENUM) and (bool(known) or not words)


def _by_flag(
    table: Table, key: Column, flag: Column, *, on: str, touch: str
) -> tuple[str, str, str, tuple[str, ...]]:
    off = "false" if on == "true" else "true"
    value = flag.of(ROW)
    is_on, is_off = f"{value} is not {off}", f"{value} is not {on}"
    touched = () if not touch else (touch.split(" = ", maxsplit=1)[0].removeprefix(", "),)
    own = key.text(ROW)
    deactivate = (
        f"update {table.quoted} {ROW} set {flag.quoted} = {flag.written(off, ROW)}{touch}\n"  # noqa: S608 - quoted by the server
        f"where {own} = any($1::text[]) and {is_on}\nreturning {own}"
    )
    activate = (
        f"update {table.quoted} {ROW} set {flag.quoted} = {flag.written(on, ROW)}{touch}\n"  # noqa: S608 - as above
        "from unnest($1::text[], $2::text[]) as u(id, status)\n"
        f"where {own} = u.id and u.status = 'active' and {is_off}\nreturning {own}"
    )
    says = f"case when {is_on} then 'active' else 'inactive' end"
    return says, deactivate, activate, (flag.quoted, *touched)


def _by_word(
    table: Table, key: Column, status: Column, values: Values, *, touch: str, notes: Notes
) -> tuple[str, str, str, tuple[str, ...]] | None:
    seen = [w for w in dict.fromkeys((*values.words, *status.labels)) if w]
    off = [w for w in seen if plain(w) in INACTIVE_WORDS | ALSO_INACTIVE]
    strange = [w for w in seen if plain(w) not in ACTIVE | INACTIVE_WORDS | ALSO_INACTIVE]
    if strange:
        notes.untold.append(
            f"{status.name} of {table.quoted} holds {', '.join(strange[:10])}: such a profile is "
            "taken to enter trades"
        )
    wanted = min(
        (w for w in off if plain(w) in TO_WRITE),
        key=lambda w: TO_WRITE.index(plain(w)),
        default=None,
    )
    if wanted is None and status.labels:
        notes.untold.append(
            f"{status.name} of {table.quoted} has no word for a profile that enters no trades: "
            f"{NO_WAY}"
        )
        return None
    if wanted is None:
        upper = bool(seen) and all(w.isupper() for w in seen)
        wanted = "INACTIVE" if upper else "inactive"
        notes.untold.append(
            f"no profile of {table.quoted} is inactive now: {status.name} = '{wanted}' is written "
            "to stop one. Your bot must know the word; put its own one there"
        )
    off = list(dict.fromkeys((*off, wanted)))
    is_off = status.is_one_of(ROW, off)
    is_on = is_off.replace(" in (", " not in (", 1)
    if status.nullable:
        is_on = f"({is_on} or {status.of(ROW)} is null)"
    value = status.text(ROW)
    says = value
    if any(w.strip().lower() not in INACTIVE_WORDS for w in off):
        says = f"case when {is_off} then 'inactive' else {value} end"
    touched = () if not touch else (touch.split(" = ", maxsplit=1)[0].removeprefix(", "),)
    own = key.text(ROW)
    deactivate = (
        f"update {table.quoted} {ROW} set {status.quoted} = {literal(wanted)}{touch}\n"  # noqa: S608 - quoted by the server and by us
        f"where {own} = any($1::text[]) and {is_on}\nreturning {own}"
    )
    never = " and ".join(
        f"u.status <> {literal(word)}" for word in dict.fromkeys((wanted, "inactive"))
    )
    activate = (
        f"update {table.quoted} {ROW} set {status.quoted} = u.status::{status.type}{touch}\n"  # noqa: S608 - as above
        "from unnest($1::text[], $2::text[]) as u(id, status)\n"
        f"where {own} = u.id and {ROW}.{status.quoted} = {literal(wanted)}\n"
        f"  and {never}\nreturning {own}"
    )
    return says, deactivate, activate, (status.quoted, *touched)
