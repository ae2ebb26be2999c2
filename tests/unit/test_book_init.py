"""What `book init` concludes from names, words and values, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.book.discovery.catalogue import Column, Kind, Table, literal
from reconciler.book.discovery.expressions import Notes, side_of, time_of
from reconciler.book.discovery.matching import match_columns
from reconciler.book.discovery.names import ORDERS, plain, words_of
from reconciler.book.discovery.sampling import Sample, Values, may_be_shown
from reconciler.book.discovery.section import own_section, quoted
from reconciler.book.discovery.words import order_words
from reconciler.book.discovery.zones import zone_of
from reconciler.domain.orders import OrderState

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def column(name: str, kind: Kind = Kind.TEXT, **told: object) -> Column:
    types = {Kind.WHOLE: "bigint", Kind.NUMBER: "numeric", Kind.NAIVE: "timestamp"}
    facts = {"nullable": True, "type": types.get(kind, "text"), **told}
    return Column(name=name, quoted=name, kind=kind, **facts)  # type: ignore[arg-type]


def table(*columns: Column, name: str = "orders", key: tuple[str, ...] = ("id",)) -> Table:
    return Table(
        schema="public",
        name=name,
        quoted=f"public.{name}",
        columns=columns,
        key=key,
        rows=-1,
        is_view=False,
        may_read=True,
    )


def values(*words: str) -> Values:
    return Values(rows=len(words), words=dict.fromkeys(words, 1))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("clOrdID", "cl_ord_id"),
        ("CL_ORD_ID", "cl_ord_id"),
        ("exchangeOrderId", "exchange_order_id"),
        ("HTTPStatus", "http_status"),
        ("filled qty", "filled_qty"),
    ],
)
def test_spellings_of_a_name_are_one(name: str, wanted: str) -> None:
    assert plain(name) == wanted


def test_plurals_are_their_nouns() -> None:
    assert words_of("TradingStrategies") == ("trading", "strategy")
    assert words_of("order_status") == ("order", "status")


@pytest.mark.parametrize(
    ("role", "name", "kind"),
    [
        ("venue_order_id", "exchangeOrderId", Kind.TEXT),
        ("venue_order_id", "kraken_order_id", Kind.TEXT),
        ("venue_order_id", "order_id", Kind.TEXT),
        ("client_order_id", "clOrdId", Kind.TEXT),
        ("client_order_id", "orderLinkId", Kind.TEXT),
        ("qty", "orig_qty", Kind.NUMBER),
        ("qty", "order_volume", Kind.NUMBER),
        ("filled", "cumExecQty", Kind.NUMBER),
        ("filled", "amount_filled", Kind.NUMBER),
        ("remaining", "leaves_qty", Kind.NUMBER),
        ("avg_price", "filled_avg_price", Kind.NUMBER),
        ("created_at", "dateCreated", Kind.INSTANT),
        ("updated_at", "lastModified", Kind.INSTANT),
        ("status", "order_state", Kind.TEXT),
    ],
)
def test_a_column_is_told_by_its_name(role: str, name: str, kind: Kind) -> None:
    found = match_columns(table(column(name, kind)), ORDERS, Sample(columns={}))
    assert {r: m.column.name for r, m in found.items()} == {role: name}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("parent_order_id", Kind.TEXT),  # another order's
        ("exchange_id", Kind.WHOLE),  # the exchange's own number
        ("quote_amount", Kind.NUMBER),  # money
        ("stop_price", Kind.NUMBER),
        ("filled_at", Kind.WHOLE),  # a time
        ("api_token", Kind.TEXT),
        ("cancel_reason", Kind.TEXT),
    ],
)
def test_a_column_of_another_meaning_is_left(name: str, kind: Kind) -> None:
    assert match_columns(table(column(name, kind)), ORDERS, Sample(columns={})) == {}


def test_values_tell_what_names_do_not() -> None:
    found = match_columns(
        table(column("a"), column("b"), column("c")),
        ORDERS,
        Sample(columns={"a": values("BTC/USDT"), "b": values("buy", "SELL"), "c": values("NEW")}),
    )
    assert {r: m.column.name for r, m in found.items()} == {
        "symbol": "a",
        "side": "b",
        "status": "c",
    }
    assert {m.sureness.value for m in found.values()} == {"unsure"}


def test_a_link_is_no_id_of_the_venue() -> None:
    own_key = table(column("order_id", Kind.WHOLE), key=("order_id",))
    assert match_columns(own_key, ORDERS, Sample(columns={})) == {}


@pytest.mark.parametrize("name", ["api_key", "apiSecret", "password_hash", "access_token"])
def test_secrets_are_not_looked_at(name: str) -> None:
    assert not may_be_shown(column(name))


def test_unknown_words_are_listed_and_never_ended() -> None:
    found = order_words(column("status"), values("NEW", "FILLED", "LIQUIDATING"))
    assert found.unmapped == ("LIQUIDATING",)
    assert set(found.ended) == {"FILLED", "CANCELED", "CANCELLED", "EXPIRED", "REJECTED"}
    assert found.write[OrderState.UNKNOWN] == "UNKNOWN", "as the others are spelt"
    assert found.write[OrderState.OPEN] == "NEW"
    assert found.allowed is None


def test_a_closed_list_takes_no_other_words() -> None:
    found = order_words(
        column("status", Kind.ENUM, labels=("open", "filled", "cancelled")), values()
    )
    assert found.ended == ("filled", "cancelled")
    assert found.write[OrderState.EXPIRED] == "cancelled"
    assert OrderState.UNKNOWN in found.missing
    assert found.allowed is not None
    assert "unknown" not in found.allowed


def test_a_short_column_takes_short_words() -> None:
    found = order_words(column("status", longest=8), values("open"))
    assert OrderState.PARTIALLY_FILLED in found.missing
    assert found.write[OrderState.CANCELED] == "canceled"
    assert found.allowed is not None


def test_codes_are_explained_by_the_comment_or_not_at_all() -> None:
    told = column("status", Kind.WHOLE, comment="0 = new, 2: filled, 9 = strange thing")
    found = order_words(told, values("0", "2", "9"))
    assert found.added == {"0": OrderState.OPEN, "2": OrderState.FILLED}
    assert found.unmapped == ("9",)
    untold = order_words(column("status", Kind.WHOLE), values("0", "2"))
    assert (untold.unmapped, untold.ended, untold.write) == (("0", "2"), (), {})


def _side(side: Column | None, seen: Values, qty: Values, notes: Notes) -> str:
    return side_of(
        side,
        seen,
        row="o",
        words=("buy", "sell"),
        quantity=(column("qty", Kind.NUMBER), qty),
        notes=notes,
    )


def test_sides_that_cannot_be_told_are_said() -> None:
    notes = Notes()
    assert _side(column("side"), values("BUY", "sell"), values(), notes) == "o.side"
    assert "then 'buy'" in _side(column("side"), values("B", "S"), values(), notes)
    assert notes.untold == []
    assert _side(column("side", Kind.WHOLE), values("0", "1"), values(), notes) == "o.side::text"
    _side(column("side"), values("buy", "hodl"), values(), notes)
    _side(None, values(), values("1", "2"), notes)
    assert ["0, 1" in notes.untold[0], "'hodl'" in notes.untold[1]] == [True, True]
    assert "no row seen is negative" in notes.untold[2]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1795000000", "to_timestamp(o.ts)"),
        ("1795000000123", "to_timestamp(o.ts / 1000.0)"),
        ("1795000000123456", "to_timestamp(o.ts / 1000000.0)"),
        ("1795000000123456789", "to_timestamp(o.ts / 1000000000.0)"),
    ],
)
def test_an_epoch_is_told_by_its_size(value: str, read: str) -> None:
    time = time_of(column("ts", Kind.WHOLE), values(value), zone="UTC", notes=Notes())
    assert time.read("o") == read


@pytest.mark.parametrize(
    ("latest", "server", "zone", "told"),
    [
        (NOW, "UTC", "UTC", False),
        (NOW + timedelta(hours=9), "Asia/Tokyo", "Asia/Tokyo", True),
        (NOW, "Asia/Tokyo", "UTC", True),
        (NOW - timedelta(hours=5), "America/New_York", "America/New_York", True),
        (NOW - timedelta(days=9), "America/New_York", "UTC", False),
    ],
)
def test_a_zone_is_told_by_the_latest_row(
    latest: datetime, server: str, zone: str, *, told: bool
) -> None:
    naive = table(column("created_at", Kind.NAIVE))
    seen = Sample(columns={"created_at": values(f"{latest:%Y-%m-%d %H:%M:%S}")})
    notes = Notes()
    assert zone_of([(naive, seen)], asked=None, server=server, now=NOW, notes=notes) == zone
    assert bool(notes.assumed) is told
    assert bool(notes.untold) is not told


def test_literals_and_toml_hold_any_text() -> None:
    assert literal("it's") == "'it''s'"
    assert literal("a\\b") == " E'a\\\\b'"
    assert quoted('a"\\\n') == '"a\\"\\\\\\n"'
    assert (
        own_section([], place="book", untold=["two\nlines"], assumed=()).splitlines()[-1]
        == "[book]"
    )
