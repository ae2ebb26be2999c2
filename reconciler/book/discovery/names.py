"""What columns and tables are called, as data: the words of bots, brokers and exchanges."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.book.discovery.catalogue import Kind

TEXTS = frozenset({Kind.TEXT, Kind.ENUM})
IDS = frozenset({Kind.TEXT, Kind.UUID, Kind.WHOLE})
NUMBERS = frozenset({Kind.WHOLE, Kind.NUMBER, Kind.TEXT})
TIMES = frozenset({Kind.INSTANT, Kind.NAIVE, Kind.DATE, Kind.WHOLE, Kind.NUMBER, Kind.TEXT})
CODES = frozenset({Kind.TEXT, Kind.ENUM, Kind.WHOLE})
SIGNS = frozenset({Kind.TEXT, Kind.ENUM, Kind.WHOLE, Kind.NUMBER, Kind.BOOLEAN})
BOOLEANS = frozenset({Kind.BOOLEAN})


def plain(name: str) -> str:
    """`clOrdID`, `CL_ORD_ID`, `cl-ord-id` and `f_cl_ord_id` are all `cl_ord_id`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3_\2\4", name)
    joined = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
    return re.sub(r"^(?:[a-z]|tbl|col|fld)_(?=[a-z]{2})", "", joined)


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, each without the plural."""
    return tuple(singular(word) for word in plain(name).split("_") if word)


def singular(word: str) -> str:
    """Good enough for nouns of this field: `strategies`, `orders`, `status`."""
    if re.fullmatch(r"\w{2,}ies", word):
        return word[:-3] + "y"
    return word[:-1] if re.fullmatch(r"\w{2,}[^sui]s", word) else word


def word_set(text: str) -> frozenset[str]:
    """The words of a text with blanks between."""
    return frozenset(text.split())


AMOUNT = word_set(
    "qty quantity amount amt size sz volume vol contract unit share lot cantidad "
    "menge quantite quantidade quantita tamano"
)
FILL = word_set(
    "done filled fill executed exec cum cumulative cummulative matched dealt traded acc "
    "ejecutado ejecutada deal"
)
REST = word_set("remaining remain left leave unfilled outstanding rest restante")
PRICE = word_set("price px rate precio preis prix preco")
MEAN = word_set("avg average mean vwap filled fill executed exec")
MONEY = word_set(
    "quote notional value cost usd usdt funds fund cash fee commission pnl profit "
    "margin collateral stake pct percent ratio leverage min max step precision "
    "reserved"
)
STOPS = word_set(
    "stop trigger tp sl take loss liquidation mark last bust trail trailing activation"
)
FIRST = word_set(
    "created create crt ins inserted insert submitted placed opened open added add placed "
    "sent timestamp ts entry time date creado creada fecha started begin"
)
CHANGED = word_set(
    "updated update upd mod modified modify changed change chg mtime refreshed synced "
    "actualizado actualizada lastupdate touched"
)
ENDED = word_set("closed close exit exited ended end finished cerrado cerrada settled")
MOMENT = word_set("at on time date ts timestamp ms utc dt datetime epoch en el")
FOREIGN = word_set(
    "client cl parent linked entry exit sl tp internal local user custom my group oco "
    "original orig replaced close closing open opening stop link source signal "
    "position trade bot strategy profile account"
)
"""Before `order_id`: words after which it is not the venue's id of this very order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How one column of the contract is told by its name and type."""

    kinds: frozenset[Kind]
    names: tuple[str, ...] = ()
    """Whole names, the likeliest first."""
    words: tuple[frozenset[str], ...] = ()
    """Else: a word of each of these sets must be in the name …"""
    never: frozenset[str] = frozenset()
    """… and none of these."""
    pattern: str | None = None


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SYMBOL = Wanted(
    kinds=TEXTS,
    names=_names(
        "ccxt_symbol unified_symbol symbol sym pair trading_pair currency_pair ticker market "
        "instrument contract inst_id symbol_name market_symbol pair_symbol "
        "instrument_name product product_id security asset coin exchange_symbol simbolo "
        "par"
    ),
    words=(word_set("symbol pair ticker instrument"),),
    never=word_set("base quote type class id source"),
)
_SIDE_NAMES = (
    "side direction buy_sell trade_side position_side action transaction_type trade_type dir bs"
)
_STATUS = Wanted(
    kinds=CODES,
    names=_names("status state sts stat order_state lifecycle phase estado zustand stato"),
    words=(word_set("status state"),),
    never=word_set(
        "payment sync prev previous old last review reason message exit entry error margin"
    ),
)
_CREATED = Wanted(
    kinds=TIMES,
    names=_names(
        "created_at created inserted_at submitted_at placed_at opened_at open_time opened "
        "creation_time creation_timestamp created_time create_time date_created "
        "created_on created_date timestamp ts order_date open_date entry_time time date "
        "fecha datum creado_en"
    ),
    words=(FIRST, MOMENT),
    never=ENDED
    | CHANGED
    | FILL
    | word_set("price cancel canceled cancelled expire expired first last"),
)
_UPDATED = Wanted(
    kinds=TIMES,
    names=_names(
        "updated_at updated modified_at last_updated last_update changed_at changed "
        "modified last_modified update_time updated_time updated_on date_updated mtime "
        "update_timestamp last_update_timestamp last_synced_at last_seen_at "
        "actualizado_en"
    ),
    words=(CHANGED,),
    never=word_set("by user count price"),
)
_CLOSED = Wanted(
    kinds=TIMES,
    names=_names(
        "closed_at close_time closed_on closed exit_time exited_at close_date closed_time "
        "exit_at ended_at closing_time exit_date"
    ),
    words=(ENDED, MOMENT),
    never=word_set("price reason id order"),
)
_QTY = Wanted(
    kinds=NUMBERS,
    names=_names(
        "qty quantity amount size order_qty orig_qty base_qty base_amount contracts "
        "volume units shares lots total_qty total_quantity requested_qty sz vol"
    ),
    words=(AMOUNT,),
    never=FILL | REST | MONEY | PRICE | STOPS | word_set("closed close type id"),
)

ORDERS: Mapping[str, Wanted] = {
    "venue_order_id": Wanted(
        kinds=IDS,
        names=_names(
            "exchange_order_id venue_order_id broker_order_id external_order_id ext_order_id "
            "remote_order_id exchange_id broker_id venue_id external_id ext_id remote_id "
            "order_no order_number order_ref oid"
        ),
        words=(
            word_set("ven exchange exch ex xchg broker venue external ext remote server externo"),
            word_set("id oid ref no num number order ticket"),
        ),
        never=word_set("account key symbol client bot user profile strategy name status"),
        pattern=r"(\w+?)_?(?:order|ord)_?(?:id|no|num|number|ref)|(\w+?)_?oid",
    ),
    "client_order_id": Wanted(
        kinds=IDS,
        names=_names(
            "client_order_id cl_ord_id clordid clord_id client_oid cl_order_id cloid coid "
            "client_id order_link_id custom_order_id user_order_id new_client_order_id "
            "orig_client_order_id internal_order_id local_order_id client_ref client_ord_id "
            "clientorderid idempotency_key our_order_id bot_order_id"
        ),
        words=(word_set("client cl cli"), word_set("order ord oid id ref")),
    ),
    "symbol": _SYMBOL,
    "side": Wanted(
        kinds=SIGNS,
        names=_names(_SIDE_NAMES + " is_buy buy is_sell is_long lado seite"),
        words=(word_set("side direction"),),
        never=word_set("position"),
    ),
    "status": _STATUS,
    "filled": Wanted(
        kinds=NUMBERS,
        names=_names(
            "filled_qty filled filled_quantity filled_amount filled_size executed_qty "
            "executed cum_qty cum_quantity cum_exec_qty executed_quantity executed_amount "
            "fill_qty"
        ),
        words=(FILL,),
        never=PRICE | MONEY | MEAN - FILL | word_set("at time date ts price count id last is"),
    ),
    "remaining": Wanted(
        kinds=NUMBERS,
        names=_names("remaining remaining_qty leaves_qty qty_left"),
        words=(REST,),
        never=PRICE | MONEY | word_set("at time"),
    ),
    "qty": _QTY,
    "avg_price": Wanted(
        kinds=NUMBERS,
        names=_names(
            "avg_price average_price avg_fill_price average_fill_price average avg_px "
            "filled_avg_price fill_price executed_price price_avg"
        ),
        words=(PRICE, MEAN),
        never=STOPS | word_set("id"),
    ),
    "price": Wanted(
        kinds=NUMBERS,
        names=_names("price limit_price order_price px requested_price"),
        words=(PRICE,),
        never=STOPS | MEAN | MONEY | word_set("id entry exit"),
    ),
    "created_at": _CREATED,
    "updated_at": _UPDATED,
    "type": Wanted(kinds=TEXTS, names=_names("order_type ord_type type kind")),
    "reduce_only": Wanted(
        kinds=BOOLEANS,
        names=_names("reduce_only is_reduce_only close_only is_close"),
        words=(word_set("reduce reduceonly"),),
    ),
    "role": Wanted(kinds=TEXTS, names=_names("role purpose intent order_role leg")),
    "is_open": Wanted(
        kinds=BOOLEANS, names=_names("is_open open is_active active is_closed closed is_done done")
    ),
    "closed_at": _CLOSED,
}

_NO_SIZE = word_set("id type count at time date long short buy sell bought sold")

POSITIONS: Mapping[str, Wanted] = {
    "symbol": _SYMBOL,
    "side": Wanted(
        kinds=SIGNS,
        names=_names(_SIDE_NAMES + " is_short is_long short long lado seite"),
        words=(word_set("side direction"),),
    ),
    "qty": Wanted(
        kinds=NUMBERS,
        names=_names(
            "net_pos pos_qty qty quantity net_qty net_quantity position_qty position_size "
            "position_amt size amount net_size net_position signed_size signed_qty contracts "
            "base_qty base_amount units shares lots volume position pos net holding holdings"
        ),
        words=(AMOUNT,),
        never=MONEY
        | PRICE
        | STOPS
        | REST
        | FILL
        | word_set("closed close exit initial entry type id long short buy sell bought sold"),
    ),
    "left": Wanted(
        kinds=NUMBERS,
        names=_names(
            "current_qty current_quantity current_size current_amount open_qty open_quantity "
            "open_size open_amount remaining_qty remaining_quantity remaining_size remaining"
        ),
        words=(AMOUNT, REST | word_set("current open")),
        never=MONEY | PRICE | STOPS | _NO_SIZE,
    ),
    "entered": Wanted(
        kinds=NUMBERS,
        names=_names("entry_qty entry_quantity entry_size entry_amount opened_qty"),
        words=(AMOUNT, word_set("entry entered opened")),
        never=MONEY | PRICE | STOPS | _NO_SIZE,
    ),
    "gone": Wanted(
        kinds=NUMBERS,
        names=_names(
            "closed_qty closed_quantity closed_size closed_amount exit_qty exit_quantity exit_size "
            "exit_amount exited_qty"
        ),
        words=(AMOUNT, word_set("closed exit exited")),
        never=MONEY | PRICE | STOPS | _NO_SIZE,
    ),
    "filled": Wanted(
        kinds=NUMBERS,
        names=_names("filled_qty filled_quantity filled_size filled_amount executed_qty"),
        words=(AMOUNT, FILL),
        never=MONEY | PRICE | STOPS | _NO_SIZE,
    ),
    "status": _STATUS,
    "is_open": Wanted(
        kinds=BOOLEANS,
        names=_names("is_open open is_active active is_closed closed abierta abierto"),
    ),
    "closed_at": _CLOSED,
    "created_at": _CREATED,
    "updated_at": _UPDATED,
}

PROFILES: Mapping[str, Wanted] = {
    "status": Wanted(
        kinds=CODES,
        names=_names("status state run_status bot_status trading_status run_state estado"),
        words=(word_set("status state"),),
        never=word_set("payment sync prev previous old last review reason message deployment"),
    ),
    "is_active": Wanted(
        kinds=BOOLEANS,
        names=_names(
            "is_active active enabled is_enabled trading_enabled is_running running "
            "allow_trading activo"
        ),
        words=(word_set("active enabled running"),),
    ),
    "is_paused": Wanted(
        kinds=BOOLEANS,
        names=_names(
            "paused is_paused disabled is_disabled halted is_halted stopped is_stopped "
            "suspended archived"
        ),
        words=(word_set("paused disabled halted stopped suspended"),),
    ),
    "account": Wanted(
        kinds=IDS | TEXTS,
        names=_names(
            "account exchange_account account_name trading_account account_id "
            "exchange_account_id account_ref subaccount sub_account api_account "
            "broker_account connection connection_id exchange_connection_id exchange venue "
            "broker cuenta"
        ),
        words=(word_set("account subaccount"),),
        never=word_set("type balance currency status"),
    ),
    "name": Wanted(
        kinds=TEXTS,
        names=_names("name title label display_name bot_name strategy_name nombre slug"),
    ),
    "updated_at": _UPDATED,
    "risk_limit": Wanted(
        kinds=frozenset({Kind.NUMBER, Kind.WHOLE}),
        names=_names("risk_limit max_loss max_position max_notional max_exposure risk_cap"),
    ),
}

OWNERS = _names(
    "profile bot strategy trader robot algo agent config instance portfolio account acct "
    "subaccount wallet tenant owner user"
)
"""Whose order it is, by the word in the column's or the table's name; the likeliest first."""

OPTIONAL = frozenset({"type", "price", "role", "name", "risk_limit", "remaining"})
"""Take what the others leave: a column `type` that holds buy and sell is the side."""

TABLES: Mapping[str, frozenset[str]] = {
    "orders": word_set("order ord orden"),
    "positions": word_set("position pos trade holding deal posicion"),
    "profiles": frozenset(OWNERS),
}
NOW = word_set("open active current live working")
"""Words of tables that hold what has not ended, beside one of what has."""
ASIDE = word_set(
    "closed past completed finished history hist archive archived bak backup old log event "
    "audit fill execution item line snapshot book candle tick queue request tmp temp test "
    "type status tag note leg deleted view migration"
)
"""Words of tables beside the one that counts."""
