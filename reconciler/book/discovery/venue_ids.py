"""Tables whose own key is the venue's id of an order."""

from collections.abc import Mapping

from reconciler.book.discovery.catalogue import Kind, Table
from reconciler.book.discovery.expressions import Notes
from reconciler.book.discovery.matching import KNOWN_VALUES, Match
from reconciler.book.discovery.names import IDS, plain, word_set, words_of

_OF_AN_ORDER = word_set("order ticket oid")
_OF_CCXT = word_set(
    "client_order_id last_trade_timestamp last_update_timestamp time_in_force post_only datetime "
    "remaining cost average"
)
"""Columns beside `id`, which is the venue's in an order of ccxt's."""
_ENOUGH = 4


def with_the_key_as_venue_id(
    table: Table, matches: Mapping[str, Match], notes: Notes
) -> Mapping[str, Match]:
    """Some bots take the venue's id of an order for their own key: then nothing here makes one
    up.
    """
    key = table.column(table.key[0]) if len(table.key) == 1 else None
    if key is None or key.default is not None or key.kind not in IDS:
        return matches
    if "venue_order_id" in matches or not _is_venues(table, key.name, key.kind, matches):
        return matches
    notes.assumed.append(f"{key.name} is the venue's id of an order: the table makes none up")
    match = Match(column=key, score=KNOWN_VALUES, why="the key, which the table does not make up")
    return {**matches, "venue_order_id": match}


def _is_venues(table: Table, name: str, kind: Kind, matches: Mapping[str, Match]) -> bool:
    if {*words_of(name)} & _OF_AN_ORDER:
        # A text beside a client's id may be one that the bot makes up.
        return kind is Kind.WHOLE or "client_order_id" not in matches
    names = {plain(column.name) for column in table.columns}
    return name == "id" and len(names & _OF_CCXT) >= _ENOUGH
