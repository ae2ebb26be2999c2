"""The simulated venue as an HTTP server on a loopback port."""

import asyncio
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any
from wsgiref.handlers import format_date_time

from aiohttp import web

from reconciler.simulation.loopback import LoopbackService
from reconciler.simulation.venue.binanceusdm import ENDPOINTS, Endpoint, PublicCall, SignedCall
from reconciler.simulation.venue.clock import VenueClock
from reconciler.simulation.venue.control import control_routes
from reconciler.simulation.venue.faults import FaultBoard
from reconciler.simulation.venue.key_rights import READS, checked
from reconciler.simulation.venue.ledger import Ledger
from reconciler.simulation.venue.markets import DEFAULT_MARKETS, Market, Markets
from reconciler.simulation.venue.misbehaviour import UNANSWERED, Answer, carry_out, error_answer
from reconciler.simulation.venue.params import Params
from reconciler.simulation.venue.records import Refused
from reconciler.simulation.venue.request_log import NO_ANSWER, RequestLog
from reconciler.simulation.venue.signatures import check_signature, check_timestamp
from reconciler.simulation.venue.view import LedgerView

MOST_BODY_BYTES = 16 * 1024**2
BAD_KEY = (-2015, "Invalid API-key, IP, or permissions for action.")
ORDER_IDS_PER_ACCOUNT = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One API key of the venue, with the ledger that it opens."""

    label: str
    api_key: str
    secret: str
    ledger: Ledger


class SimulatedVenue(LoopbackService):
    """A venue that speaks Binance USD-M, on 127.0.0.1 only; use it with `async with`.

    `page_limit` cuts every listing to so many rows, as venues with pages do. `weight_limit` is the
    request weight a minute beyond which it answers 429; None never does.
    """

    def __init__(self, *, markets: tuple[Market, ...] = DEFAULT_MARKETS, port: int = 0) -> None:
        super().__init__(port=port)
        self.clock = VenueClock()
        self.markets = Markets(markets)
        self.faults = FaultBoard()
        self.requests = RequestLog()
        self.accounts: dict[str, Account] = {}
        self.page_limit: int | None = None
        self.weight_limit: int | None = None
        self._by_key: dict[str, Account] = {}
        self._rights: dict[str, frozenset[str]] = {}
        self._weight_minute = 0
        self._weight_used = 0
        self._stopping = asyncio.Event()

    @property
    def base_url(self) -> str:
        """Return the address under the name that ccxt's settings give it."""
        return self.url

    @property
    def used_weight(self) -> int:
        """Return the request weight spent in the current minute."""
        return self._weight_used

    def add_account(
        self,
        label: str = "main",
        *,
        api_key: str | None = None,
        secret: str | None = None,
        wallet_balance: Decimal = Decimal(100_000),
    ) -> Account:
        """Open an account; its key and secret are `<label>-key` and `<label>-secret` by default."""
        ledger = Ledger(
            markets=self.markets,
            clock=self.clock,
            wallet_balance=wallet_balance,
            first_order_id=8_000_000_001 + len(self.accounts) * ORDER_IDS_PER_ACCOUNT,
        )
        account = Account(
            label=label,
            api_key=api_key or f"{label}-key",
            secret=secret or f"{label}-secret",
            ledger=ledger,
        )
        if label in self.accounts or account.api_key in self._by_key:
            raise ValueError(f"account {label} or its key is already there")
        self.accounts[label] = account
        self._by_key[account.api_key] = account
        return account

    def remove_account(self, label: str) -> None:
        """Withdraw an account's key: from now on it is answered -2015."""
        del self._by_key[self.accounts.pop(label).api_key]

    def set_key_rights(self, *rights: str, label: str = "main") -> None:
        """Say from now on that an account's key has these rights (Binance's words) and may read.

        A new key only reads. Raises ValueError for a right that Binance does not have.
        """
        self._rights[self.accounts[label].label] = checked(rights)

    def ledger(self, label: str = "main") -> Ledger:
        """Return the ledger of an account."""
        return self.accounts[label].ledger

    def application(self) -> web.Application:
        """The control routes, and every path of the venue."""
        app = web.Application(client_max_size=MOST_BODY_BYTES)
        app.router.add_routes(control_routes(self))
        app.router.add_route("*", "/{path:.*}", self._serve)
        return app

    async def start(self, **runner: Any) -> None:
        """Listen; the port is a free one unless it was given."""
        self._stopping.clear()
        await super().start(handler_cancellation=True, **runner)

    async def stop(self) -> None:
        """Close, within a second, whatever requests are still waiting."""
        self._stopping.set()
        await super().stop()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        endpoint = ENDPOINTS.get((request.method, path))
        name = endpoint.name if endpoint else path
        account = self._by_key.get(request.headers.get("X-MBX-APIKEY", ""))
        label = account.label if account else None
        body = await request.text()
        answer = partial(self._answer, request, endpoint, account, body)
        rule = self.faults.take(name=name, path=path, account=label)
        if rule is None:
            given = answer()
            self.requests.note(endpoint=name, account=label, status=given.status)
            return given.response()
        if rule.fault.kind in UNANSWERED:
            self.requests.note(endpoint=name, account=label, status=NO_ANSWER)
        response = await carry_out(rule, request=request, answer=answer, stopping=self._stopping)
        if rule.fault.kind not in UNANSWERED:
            self.requests.note(endpoint=name, account=label, status=response.status)
        return response

    def _answer(
        self, request: web.Request, endpoint: Endpoint | None, account: Account | None, body: str
    ) -> Answer:
        """Return the true answer, or the venue's own refusal of a bad request."""
        # The raw target: a signature is over the query as it was sent, before any decoding.
        sent = request.raw_path.partition("?")[2] + body
        params = Params.parse(sent)
        headers = self._headers(endpoint.weight_of(params) if endpoint else 1)
        try:
            content = self._content(request, endpoint, account, sent, params)
        except Refused as refused:
            answer = error_answer(refused.code, refused.message, refused.http_status)
            return replace(answer, headers=headers | answer.headers)
        return Answer(body=json.dumps(content, separators=(",", ":")).encode(), headers=headers)

    def _content(
        self,
        request: web.Request,
        endpoint: Endpoint | None,
        account: Account | None,
        sent: str,
        params: Params,
    ) -> object:
        if self.weight_limit is not None and self._weight_used > self.weight_limit:
            raise Refused(-1003, "Too many requests; current limit is spent.", http_status=429)
        if endpoint and endpoint.public:
            return endpoint.public(PublicCall(markets=self.markets, clock=self.clock))
        if endpoint and endpoint.signed:
            return endpoint.signed(self._signed_call(account, sent, params))
        message = f"Path {request.path}, Method {request.method} is invalid"
        raise Refused(-5000, message, http_status=404)

    def _signed_call(self, account: Account | None, sent: str, params: Params) -> SignedCall:
        if account is None:
            raise Refused(*BAD_KEY, http_status=401)
        check_signature(sent, secret=account.secret)
        params.needed("timestamp")
        check_timestamp(
            params.integer("timestamp") or 0,
            window=params.integer("recvWindow"),
            told_at=self.clock.told(),
        )
        return SignedCall(
            ledger=account.ledger,
            view=LedgerView(account.ledger),
            params=params,
            page_limit=self.page_limit,
            rights=self._rights.get(account.label, frozenset({READS})),
        )

    def _headers(self, weight: int) -> dict[str, str]:
        told_at = self.clock.told().timestamp()
        minute = int(told_at // 60)
        if minute != self._weight_minute:
            self._weight_minute, self._weight_used = minute, 0
        self._weight_used += weight
        headers = {
            "Date": format_date_time(told_at),
            "X-MBX-USED-WEIGHT-1M": str(self._weight_used),
        }
        if self.weight_limit is not None and self._weight_used > self.weight_limit:
            headers["Retry-After"] = str(60 - int(told_at % 60))
        return headers
