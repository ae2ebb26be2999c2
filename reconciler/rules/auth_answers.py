"""What one answer to the probe means: the response catalogue of gateway, GoTrue and PostgREST, read
in their sources, and the bot's own surface. Purely computational.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.domain.auth_probes import AuthClass, NoAnswer, ProbeResult, ProbeStep

CONFIG, INFRA = AuthClass.CONFIG, AuthClass.INFRA
APP, UNSURE = AuthClass.APP_REGRESSION, AuthClass.INCONCLUSIVE


class About(StrEnum):
    """What a sign is about, where its class depends on the other answers."""

    PLAIN = "plain"
    EXPIRED = "expired"
    FUTURE = "future"
    """The server's clock, or the issuer's, is wrong."""
    REFUSED = "refused"
    """The bot refused a token."""
    OPEN = "open"
    """A protected endpoint let somebody in who showed nothing."""
    UNKNOWN = "unknown"
    """Nothing can be concluded, and nothing is wrong for all we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One answer that is not as it should be."""

    step: ProbeStep
    cause: AuthClass
    fact: str
    about: About = About.PLAIN

    @property
    def is_failure(self) -> bool:
        """Whether something failed; else it is only not known."""
        return self.about is not About.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the catalogue: every condition that is given must hold."""

    says: str
    cause: AuthClass
    about: About = About.PLAIN
    status: frozenset[int] = frozenset()
    codes: str = ""
    """A pattern for the whole error code."""
    words: str = ""
    """A pattern in the error's words, any case."""
    steps: frozenset[ProbeStep] = frozenset()

    def fits(self, result: ProbeResult) -> bool:
        """Whether the answer is of this row."""
        return (
            (not self.status or result.status in self.status)
            and (not self.codes or re.fullmatch(self.codes, result.code) is not None)
            and (not self.words or re.search(self.words, result.message, re.IGNORECASE) is not None)
            and (not self.steps or result.step in self.steps)
        )


_EXPIRED = r"expired"
_FUTURE = r"before issued|issued (at|in the) future|not valid yet|not yet valid"
_KEYS = r"signing method|unrecognized jwt kid|unverifiable|signature|no suitable key"
_SIGN_IN = frozenset({ProbeStep.CANARY_SIGN_IN})
_SERVICE = frozenset({ProbeStep.SERVICE_KEY})
_REFUSED = frozenset({401, 403})
_4XX = frozenset(range(400, 500))

CATALOGUE: tuple[Row, ...] = (
    # the gateway
    Row(words=r"no api key found", cause=CONFIG, says="the gateway was shown no API key"),
    Row(
        words=r"legacy api keys are disabled",
        cause=CONFIG,
        says="legacy API keys are disabled: the keys were rotated to sb_publishable and sb_secret",
    ),
    Row(words=r"invalid api key", cause=CONFIG, says="the gateway does not know the API key"),
    Row(
        status=frozenset({540}),
        cause=INFRA,
        says="the project is paused: an operator has to restore it",
    ),
    Row(
        status=frozenset({402}),
        cause=INFRA,
        says="the project is restricted, as over its quota: an operator has to see to it",
    ),
    Row(
        status=frozenset({*range(520, 528), 530}),
        cause=INFRA,
        says="the edge does not reach the project",
    ),
    # GoTrue
    Row(codes="no_authorization", cause=APP, says="the request carried no bearer token"),
    Row(codes="bad_jwt", words=_EXPIRED, cause=UNSURE, about=About.EXPIRED, says="token expired"),
    Row(
        codes="bad_jwt",
        words=_FUTURE,
        cause=INFRA,
        about=About.FUTURE,
        says="token from the future",
    ),
    Row(
        codes="bad_jwt",
        words=_KEYS,
        cause=CONFIG,
        says="the token was signed by a key or algorithm that is not in use (any more)",
    ),
    Row(codes="bad_jwt", cause=CONFIG, says="the token cannot be verified"),
    Row(
        codes="not_admin",
        steps=_SERVICE,
        cause=CONFIG,
        says="the service-role key is no service-role key",
    ),
    Row(
        codes="user_not_found|session_not_found|user_banned|not_admin",
        cause=APP,
        says="the user or session behind the token is gone, or may not",
    ),
    Row(
        codes="refresh_token_not_found|refresh_token_already_used",
        cause=APP,
        says="the refresh token was used by somebody else: its whole family is revoked",
    ),
    Row(
        codes="session_expired",
        cause=APP,
        says="the session was ended by its time box, inactivity or a newer login",
    ),
    Row(codes="invalid_credentials", cause=CONFIG, says="address or password is wrong"),
    Row(
        codes="invalid_grant",
        words=r"credentials",
        cause=CONFIG,
        says="address or password is wrong",
    ),
    Row(
        codes="invalid_grant",
        words=r"refresh token",
        cause=APP,
        says="the refresh token was used by somebody else: its whole family is revoked",
    ),
    Row(
        codes="over_request_rate_limit",
        cause=INFRA,
        says="throttled: the probe (or the bot) asks too often",
    ),
    # PostgREST
    Row(codes="PGRST300", cause=CONFIG, says="PostgREST has no JWT secret"),
    Row(codes="PGRST301", cause=CONFIG, says="PostgREST cannot verify the token"),
    Row(codes="PGRST302", cause=CONFIG, says="PostgREST lets nobody in without a token"),
    Row(codes="PGRST303", words=_EXPIRED, cause=UNSURE, about=About.EXPIRED, says="token expired"),
    Row(
        codes="PGRST303",
        words=_FUTURE,
        cause=INFRA,
        about=About.FUTURE,
        says="token from the future",
    ),
    Row(codes="PGRST303", cause=CONFIG, says="PostgREST refuses the token's claims"),
    Row(
        codes="42501",
        cause=APP,
        says="a policy or grant refuses: a migration may have changed it",
    ),
    Row(codes=r"PGRST00\d|(08|53|57)\w{3}", cause=INFRA, says="the project's database is away"),
    # the same said without a code, as older releases do
    Row(status=_REFUSED, words=_EXPIRED, cause=UNSURE, about=About.EXPIRED, says="token expired"),
    Row(
        status=_REFUSED,
        words=_FUTURE,
        cause=INFRA,
        about=About.FUTURE,
        says="token from the future",
    ),
    Row(status=_REFUSED, words=_KEYS, cause=CONFIG, says="the token cannot be verified"),
    # what is left
    Row(status=frozenset({429}), cause=INFRA, says="throttled: the probe asks too often"),
    Row(status=frozenset(range(500, 600)), cause=INFRA, says="the server failed"),
    Row(status=_4XX, steps=_SIGN_IN, cause=CONFIG, says="the canary cannot sign in"),
    Row(
        status=frozenset({404}),
        cause=CONFIG,
        says="no such thing there: auth.supabase_url or the table is wrong",
    ),
    Row(
        status=frozenset(range(300, 400)),
        cause=CONFIG,
        says="answers with a redirect, which is not followed: auth.supabase_url is wrong",
    ),
)
"""First fit wins."""
_WITH_CODES = tuple(row for row in CATALOGUE if row.codes)
"""Rows that are telling also in an answer of the bot, which passes on what it was told."""

_HANDSHAKE = 101
_INVALID = frozenset({400, 422})
_SETTINGS_FAULT = frozenset({NoAnswer.NAME_UNKNOWN, NoAnswer.UNSENDABLE})
_WHO = r"authorization|authenticat|bearer|credential|jwt|api.?key"
"""Some bots call a request without a token invalid, and mean that: no open door is shown."""
_OF_BODY = re.compile(r"body\b", re.IGNORECASE)
"""FastAPI's place of what is missing: an `api_key` of the body is no sign-in."""


def sign_of(result: ProbeResult) -> Sign | None:
    """What is wrong with one answer; None: it passed, or was not asked."""
    if result.skipped is not None:
        return None
    if result.no_answer is not None:
        cause = CONFIG if result.no_answer in _SETTINGS_FAULT else INFRA
        return Sign(step=result.step, cause=cause, fact=f"{_who(result)}: {result.no_answer}")
    if result.step.is_of_bot:
        return _sign_of_bot(result)
    if result.refused is not None:
        return _refused_by_us(result)
    if result.is_expected:
        return None
    return _of_rows(result, CATALOGUE) or Sign(
        step=result.step, cause=UNSURE, fact=f"{_answer(result)}: nothing that we know"
    )


def _of_rows(result: ProbeResult, rows: Iterable[Row]) -> Sign | None:
    for row in rows:
        if row.fits(result):
            return Sign(
                step=result.step,
                cause=row.cause,
                about=row.about,
                fact=f"{_answer(result)}: {row.says}",
            )
    return None


def _refused_by_us(result: ProbeResult) -> Sign:
    """Our own verifier against a token that was issued a moment ago."""
    fact = f"canary_verified: our own verifier refuses the fresh token ({result.refused})"
    why = (result.refused or "").lower()
    if re.search(f"expired|immature|{_FUTURE}", why):
        return Sign(step=result.step, cause=INFRA, about=About.FUTURE, fact=fact)
    return Sign(step=result.step, cause=CONFIG, fact=fact)


def _sign_of_bot(result: ProbeResult) -> Sign | None:
    match result.step:
        case ProbeStep.BOT_TRADE | ProbeStep.BOT_WEBSOCKET_CLOSED:
            return _door(result)
        case ProbeStep.BOT_LIVE | ProbeStep.BOT_READY:
            return _of_health(result)
        case _:
            return _with_token(result)


def _door(result: ProbeResult) -> Sign | None:
    """Asked without a token: a refusal is what we want. An endpoint that judges the body of
    somebody who showed no token is as open as one that accepts it.
    """
    if result.is_expected or result.status in _REFUSED:
        return None
    is_socket = result.step is ProbeStep.BOT_WEBSOCKET_CLOSED
    opened = {_HANDSHAKE} if is_socket else {*range(200, 300), 400, 422}
    is_asked_who = (
        result.status in _INVALID
        and re.search(_WHO, result.message, re.IGNORECASE)
        and not _OF_BODY.match(result.message)
    )
    if result.status in opened and not is_asked_who:
        fact = f"{_answer(result)} WITHOUT a token: the door is open"
        return Sign(step=result.step, cause=APP, about=About.OPEN, fact=fact)
    fact = f"{_answer(result)} without a token: neither open nor refused"
    return Sign(step=result.step, cause=UNSURE, about=About.UNKNOWN, fact=fact)


def _of_health(result: ProbeResult) -> Sign | None:
    if result.is_expected:
        return None
    quoted = f" (degraded: {'; '.join(result.quoted)})" if result.quoted else ""
    fact = f"{_answer(result)}{quoted}"
    if result.status is not None and result.status >= 500:  # noqa: PLR2004 - HTTP's server errors
        return Sign(step=result.step, cause=INFRA, fact=fact)
    return Sign(step=result.step, cause=UNSURE, about=About.UNKNOWN, fact=fact)


def _with_token(result: ProbeResult) -> Sign | None:
    """The authenticated surface. A bot that passes on what Supabase said is taken at its word."""
    if result.is_expected:
        return None
    status = result.status or 0
    if sign := _of_rows(result, _WITH_CODES):
        return sign
    if status in _REFUSED or status == _HANDSHAKE:
        fact = f"{_answer(result)} to a token"
        return Sign(step=result.step, cause=UNSURE, about=About.REFUSED, fact=fact)
    if status == 500:  # noqa: PLR2004 - the application's own fault, unlike 502 to 504
        return Sign(step=result.step, cause=APP, fact=f"{_answer(result)}: the application failed")
    if status > 500 or status == 429:  # noqa: PLR2004 - HTTP's
        return Sign(step=result.step, cause=INFRA, fact=_answer(result))
    fact = f"{_answer(result)}: not judged"
    return Sign(step=result.step, cause=UNSURE, about=About.UNKNOWN, fact=fact)


def _who(result: ProbeResult) -> str:
    return result.step.value


def _answer(result: ProbeResult) -> str:
    """`canary_user answered 403 bad_jwt (token is expired)`."""
    said = f"{_who(result)} answered {result.status}"
    said += f" {result.code}" if result.code else ""
    return said + (f" ({result.message})" if result.message else "")
