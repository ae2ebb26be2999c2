"""The control surface under /_sim/: what tests call when the venue is its own process.

`POST /_sim/<name>` with a JSON object. The ledger's methods go by their own names and parameters,
with `account` ("main" where it is missing) beside them; decimals are strings, times ISO 8601 with
an offset, durations seconds.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from aiohttp import web

from reconciler.simulation.venue.faults import Fault, FaultKind
from reconciler.simulation.venue.ledger import Ledger
from reconciler.simulation.venue.markets import Market
from reconciler.simulation.venue.records import Refused

if TYPE_CHECKING:
    from reconciler.simulation.venue.server import SimulatedVenue

Body = dict[str, object]

LEDGER_METHODS = (
    "place_order",
    "fill_order",
    "cancel_order",
    "expire_order",
    "reject_order",
    "forget_order",
    "place_trigger_order",
    "trigger",
    "cancel_trigger_order",
    "forget_trigger_order",
    "set_position",
    "close_position",
    "set_hedge_mode",
    "lag",
    "settle",
)
READERS: Mapping[str, Callable[[str], object]] = {
    "decimal.Decimal": Decimal,
    "datetime.datetime": datetime.fromisoformat,
    "datetime.timedelta": lambda seconds: timedelta(seconds=float(seconds)),
}


def control_routes(venue: "SimulatedVenue") -> list[web.RouteDef]:
    """Return the routes that set and show `venue`."""
    control = _Control(venue)
    return [
        web.get("/_sim/state", control.state),
        web.get("/_sim/requests", control.requests),
        web.post("/_sim/{name}", control.call),
    ]


class _Control:
    def __init__(self, venue: "SimulatedVenue") -> None:
        self._venue = venue
        self._calls: dict[str, Callable[[Body], object]] = {
            "add_account": self._add_account,
            "add_market": self._add_market,
            "set_mark_price": self._set_mark_price,
            "set_fault": self._set_fault,
            "clear_faults": self._clear_faults,
            "clock": self._clock,
            "limits": self._limits,
            "set_key_rights": self._set_key_rights,
            "batch": self._batch,
            "clear_requests": lambda _: venue.requests.clear(),
        }

    async def state(self, request: web.Request) -> web.Response:
        """Show the true state of one account, or of all: no lag, nothing forgotten by age."""
        wanted = request.query.get("account")
        return web.json_response(
            {
                label: _state(account.ledger)
                for label, account in self._venue.accounts.items()
                if wanted in {None, label}
            }
        )

    async def requests(self, _: web.Request) -> web.Response:
        """Show how many requests there were, by endpoint, account and status."""
        counts = self._venue.requests.counts.items()
        return web.json_response([_plain(logged, count=number) for logged, number in counts])

    async def call(self, request: web.Request) -> web.Response:
        """Do what the path names; 400 says why it cannot."""
        name = request.match_info["name"]
        try:
            body = dict(json.loads(await request.text() or "{}"))
            done = self._call(name, body)
        except (Refused, KeyError, TypeError, ValueError, ArithmeticError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response({"result": _plain(done)})

    def _call(self, name: str, body: Body) -> object:
        if name in self._calls:
            return self._calls[name](body)
        if name not in LEDGER_METHODS:
            raise ValueError(f"no {name}; there are {', '.join([*self._calls, *LEDGER_METHODS])}")
        ledger = self._venue.ledger(str(body.pop("account", "main")))
        return _read_and_call(getattr(ledger, name), body)

    def _add_account(self, body: Body) -> object:
        account = _read_and_call(self._venue.add_account, body)
        return {"base_url": self._venue.base_url, "account": getattr(account, "label", None)}

    def _add_market(self, body: Body) -> None:
        market = _read_and_call(Market, body)
        if isinstance(market, Market):
            self._venue.markets.add(market)

    def _set_mark_price(self, body: Body) -> None:
        _read_and_call(self._venue.markets.set_mark_price, body)

    def _set_fault(self, body: Body) -> object:
        """Take the fault's own fields beside `endpoint`, `account`, `times` and `after`."""
        names = {field.name for field in fields(Fault)} - {"kind"}
        particulars = {name: body.pop(name) for name in names & body.keys()}
        fault = Fault(kind=FaultKind(str(body.pop("kind"))), **particulars)  # type: ignore[arg-type]
        rule = self._venue.faults.set(fault, **body)  # type: ignore[arg-type]
        return rule.rule_id

    def _clear_faults(self, body: Body) -> None:
        self._venue.faults.clear(**body)  # type: ignore[arg-type]

    def _clock(self, body: Body) -> object:
        """`shift_seconds` lets time pass in the ledgers, `skew_seconds` sets what callers see."""
        clock = self._venue.clock
        if "shift_seconds" in body:
            clock.shift(timedelta(seconds=float(str(body["shift_seconds"]))))
        if "skew_seconds" in body:
            clock.skew = timedelta(seconds=float(str(body["skew_seconds"])))
        return {"now": clock.now(), "told": clock.told()}

    def _batch(self, body: Body) -> list[object]:
        """Do many `calls`, each [name, body], in one request; stops at the first that cannot."""
        calls = body["calls"]
        if not isinstance(calls, list):
            raise TypeError("calls must be a list of [name, body]")
        return [self._call(str(name), dict(one)) for name, one in calls]

    def _set_key_rights(self, body: Body) -> None:
        """Take `rights`, a list of Binance's words, and `account`."""
        rights = body.get("rights")
        if not isinstance(rights, list):
            raise TypeError("rights must be a list of words")
        label = str(body.get("account", "main"))
        self._venue.set_key_rights(*(str(right) for right in rights), label=label)

    def _limits(self, body: Body) -> None:
        """Set `page_limit` and `weight_limit`, each a number or null."""
        for name, value in body.items():
            if name not in {"page_limit", "weight_limit"}:
                raise ValueError(f"no limit {name}")
            setattr(self._venue, name, value)


def _read_and_call(function: Callable[..., object], body: Body) -> object:
    """Call `function` with `body`, each text read as its parameter's annotation says."""
    parameters = inspect.signature(function).parameters
    values: Body = {}
    for name, value in body.items():
        if name not in parameters:
            raise TypeError(f"unknown parameter {name}; there are {', '.join(parameters)}")
        kind = str(parameters[name].annotation)
        reader = next((read for known, read in READERS.items() if known in kind), None)
        values[name] = value if reader is None or value is None else reader(str(value))
    return function(**values)


def _state(ledger: Ledger) -> Body:
    return {
        "wallet_balance": str(ledger.wallet_balance),
        "hedge_mode": ledger.hedge_mode,
        "orders": _plain(list(ledger.orders.values())),
        "trigger_orders": _plain(list(ledger.trigger_orders.values())),
        "fills": _plain(list(ledger.fills.values())),
        "positions": _plain(list(ledger.positions.values())),
    }


def _plain(value: object, **extra: object) -> object:
    """Return `value` as JSON can hold it."""
    if is_dataclass(value) and not isinstance(value, type):
        shown = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return shown | extra
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    return value
