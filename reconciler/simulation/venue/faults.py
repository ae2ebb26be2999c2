"""The ways in which a venue misbehaves, and the board on which tests set them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count


class FaultKind(StrEnum):
    """What comes instead of the answer; the first group is HTTP 200."""

    HTML_200 = "html_200"
    EMPTY_200 = "empty_200"
    NULL = "null"
    OBJECT = "object"
    ARRAY = "array"
    TEXT = "text"
    TRUNCATED_JSON = "truncated_json"
    DROP_ROWS = "drop_rows"
    STATUS = "status"
    ERROR = "error"
    CUT_BODY = "cut_body"
    RESET = "reset"
    HANG = "hang"
    HANG_AFTER = "hang_after"
    SLOW = "slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of misbehaviour with its particulars; the class methods are the way to make one.

    The kinds without particulars are made with `Fault(kind=FaultKind.HTML_200)`.
    """

    kind: FaultKind
    http_status: int = 200
    body: str | None = None
    code: int = 0
    message: str = ""
    retry_after: int | None = None
    seconds: float = 0.0
    rows: int = 0
    content_length: bool = True

    @classmethod
    def status(
        cls, http_status: int, body: str | None = None, *, retry_after: int | None = None
    ) -> "Fault":
        """Answer any HTTP status; without a body, with what such a status usually carries.

        `retry_after` is in seconds; 418 and 429 send 5 where it is not given.
        """
        return cls(
            kind=FaultKind.STATUS, http_status=http_status, body=body, retry_after=retry_after
        )

    @classmethod
    def error(cls, code: int, message: str, http_status: int = 400) -> "Fault":
        """Answer one of Binance's JSON errors."""
        return cls(kind=FaultKind.ERROR, code=code, message=message, http_status=http_status)

    @classmethod
    def slow(cls, seconds: float) -> "Fault":
        """Answer well, after so many seconds."""
        return cls(kind=FaultKind.SLOW, seconds=seconds)

    @classmethod
    def drop_rows(cls, rows: int) -> "Fault":
        """Answer a listing without its last `rows` rows."""
        return cls(kind=FaultKind.DROP_ROWS, rows=rows)

    @classmethod
    def cut_body(cls, *, content_length: bool = True) -> "Fault":
        """Close the connection after half of the body, having announced its length or not."""
        return cls(kind=FaultKind.CUT_BODY, content_length=content_length)


@dataclass(slots=True, kw_only=True, eq=False)
class FaultRule:
    """A fault as it was set: for which requests, how often, and after how many good ones."""

    rule_id: int
    fault: Fault
    endpoint: str
    account: str | None
    left: int | None
    good_left: int
    cleared: asyncio.Event = field(default_factory=asyncio.Event)

    def concerns(self, *, name: str, path: str, account: str | None) -> bool:
        """Tell whether a request is one that this rule is about."""
        return self.endpoint in {"*", name, path} and self.account in {None, account}


class FaultBoard:
    """The faults that are set; of several that concern a request, the one set first applies."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []
        self._ids = count(1)

    def __iter__(self) -> Iterator[FaultRule]:
        return iter(self._rules)

    def set(
        self,
        fault: Fault | FaultKind | str,
        endpoint: str = "*",
        *,
        account: str | None = None,
        times: int | None = None,
        after: int = 0,
    ) -> FaultRule:
        """Misbehave at `endpoint` (a name such as "positions", a path, or "*").

        Limited to the account of that label where one is given, to `times` requests, and only
        once `after` requests of that sort were answered well. An HTTP client may repeat by itself
        a GET whose kept connection was reset (aiohttp does, once): give RESET two times, or none.
        """
        made = fault if isinstance(fault, Fault) else Fault(kind=FaultKind(fault))
        rule = FaultRule(
            rule_id=next(self._ids),
            fault=made,
            endpoint=endpoint,
            account=account,
            left=times,
            good_left=after,
        )
        self._rules.append(rule)
        return rule

    def clear(self, rule: FaultRule | int | None = None, *, endpoint: str | None = None) -> None:
        """Lift one rule, those of one endpoint, or all; requests that hang are then answered."""
        kept: list[FaultRule] = []
        for set_rule in self._rules:
            chosen = (rule is None or rule in {set_rule, set_rule.rule_id}) and endpoint in {
                None,
                set_rule.endpoint,
            }
            if chosen:
                set_rule.cleared.set()
            else:
                kept.append(set_rule)
        self._rules = kept

    def take(self, *, name: str, path: str, account: str | None) -> FaultRule | None:
        """Return the rule that applies to this request, having counted it, or None."""
        for rule in self._rules:
            if rule.left == 0 or not rule.concerns(name=name, path=path, account=account):
                continue
            if rule.good_left:
                rule.good_left -= 1
                continue
            if rule.left is not None:
                rule.left -= 1
            return rule
        return None
