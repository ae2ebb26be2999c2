"""`AccountCycle`: every pass over one account. Orders are settled before positions are judged."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from reconciler.cycle.backlog_stage import settle_backlog
from reconciler.cycle.containment_watch import watch_contained
from reconciler.cycle.ended_in_book import close_ended
from reconciler.cycle.exposure import follow_exposure
from reconciler.cycle.facts import PassFacts
from reconciler.cycle.hands import Hands
from reconciler.cycle.healing import settle_account, venue_draft, venue_kind, weigh_account
from reconciler.cycle.holding_stage import settle_holdings
from reconciler.cycle.intent_stage import settle_intents
from reconciler.cycle.judging import Judging
from reconciler.cycle.looking import Look, take_look
from reconciler.cycle.order_acts import act_on_orders
from reconciler.cycle.order_stage import plan_orders
from reconciler.cycle.position_stage import act_on_positions, weigh_positions
from reconciler.cycle.suspicion_book import SuspicionBook
from reconciler.cycle.telling import QUIET_ACTIONS, TAGS, tell
from reconciler.cycle.tools import Tools
from reconciler.domain.errors import (
    BookDatabaseUnavailableError,
    BookUnreadableError,
    LeaseLostError,
    ReconcilerError,
    VenueUnavailableError,
)
from reconciler.domain.identity import RunId
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind
from reconciler.domain.leases import Held, Lease
from reconciler.domain.outcome import Finding, Outcome, OutcomeState
from reconciler.domain.snapshot import Failure
from reconciler.ports import Leases
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.scheduling import Intervals
from reconciler.rules.severity import FIXED

log = structlog.get_logger("reconciler.cycle")

PASS_DEADLINE = timedelta(minutes=5)
"""No pass lasts longer: every call has its own, shorter deadline; this one catches their sum."""

NOTE_DEADLINE = timedelta(seconds=30)
"""Recording why a pass failed: a few small statements."""

MAX_SHARE = timedelta(seconds=5)
"""The two jobs of an account that are due within this time share one look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassResult:
    """The outcome for people, the facts for metrics and health."""

    outcome: Outcome
    facts: PassFacts
    venue_gave_nothing: bool = False
    """The venue listed not even its markets: there was no look."""


class AccountCycle:
    """One account. Its passes never overlap; each is level-based and may be killed anywhere."""

    def __init__(
        self,
        tools: Tools,
        judging: Judging,
        leases: Leases,
        *,
        share_for: timedelta = MAX_SHARE,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._tools = tools
        self._judging = judging
        self._leases = leases
        self._share_for = min(share_for, MAX_SHARE).total_seconds()
        self._redact = redact
        self._turn = asyncio.Lock()
        self._owed: list[Hands] = []
        self._is_first = True
        self._last: tuple[float, bool, PassResult] | None = None

    def set_pace(self, held: Intervals) -> None:
        """It is looked at this often, perhaps less often than configured: that is no outage."""
        limits = self._judging.escalation
        gap = max(limits.longest_gap, 2 * held.order_status_sync)
        self._judging = replace(
            self._judging,
            escalation=replace(limits, longest_gap=gap),
            look_every=max(self._judging.look_every, held.reconciliation),
        )

    async def run(self, job: str, *, positions: bool = True, fresh: bool = True) -> PassResult:
        """One pass. `positions` False: orders only. `fresh` False: a pass of the other job that
        has just ended, and did as much, serves this one too. Never raises but CancelledError.
        """
        async with self._turn:
            if not fresh and self._last is not None:
                ended, had_positions, result = self._last
                young = time.monotonic() - ended < self._share_for
                if young and (had_positions or not positions):
                    return replace(result, facts=PassFacts())  # its facts were told once
            result = await self._guarded(job, positions=positions)
            self._last = (time.monotonic(), positions, result)
            return result

    async def _guarded(self, job: str, *, positions: bool) -> PassResult:
        """A pass, with what was settled before its look, whether there was one or not."""
        hands = self._hands()
        work = self._pass(job, hands.run, hands, positions=positions)
        result = await self._caught(job, hands.run, work)
        for owed in self._owed:
            owed.count_in(result.facts)
        self._owed.clear()
        return self._with(hands, result, job)

    def _hands(self) -> Hands:
        run = RunId(f"{time.time_ns():x}-{secrets.token_hex(4)}")
        return Hands(tools=self._tools, judging=self._judging, run=run, is_first=self._is_first)

    async def settle(self) -> Outcome:
        """Only what is recorded and not known to be done, while the venue is left alone. Its
        numbers are told with the next pass. Never raises but CancelledError.
        """
        job = "settle"
        async with self._turn:
            hands = self._hands()
            result = await self._caught(job, hands.run, self._settle(hands))
            self._owed.append(hands)
            return self._with(hands, result, job).outcome

    async def _settle(self, hands: Hands) -> PassResult:
        account = self._tools.account
        lease = await self._leases.acquire(account)
        if isinstance(lease, Held):
            return self._failed(OutcomeState.HELD, f"held by another daemon ({lease.holder})")
        await self._settle_recorded(hands, lease)
        outcome = Outcome(account=account, state=OutcomeState.NOT_JUDGED, sentence="no look")
        return PassResult(outcome=outcome, facts=PassFacts())

    def _with(self, hands: Hands, result: PassResult, job: str) -> PassResult:
        """What was settled is told with the pass."""
        for finding in hands.findings:
            fields = {"account": finding.account, "job": job, "run_id": hands.run}
            tag = TAGS.get(finding.kind, "[Reconcile]")
            log.warning(f"{tag} {finding.text}", action=finding.action, **fields)
        hands.count_in(result.facts)
        return replace(result, outcome=hands.added_to(result.outcome))

    async def _caught(self, job: str, run: RunId, work: Awaitable[PassResult]) -> PassResult:
        """The one catch-all: whatever goes wrong becomes a sentence."""
        try:
            async with asyncio.timeout(PASS_DEADLINE.total_seconds()):
                return await work
        except LeaseLostError as error:
            return self._failed(OutcomeState.HELD, str(error))
        except VenueUnavailableError as error:
            await self._note_venue(error.failure, run)
            failed = self._failed(OutcomeState.NOT_JUDGED, f"the venue: {error}", error.retry_after)
            return replace(failed, venue_gave_nothing=True)
        except BookUnreadableError as error:
            await self._note_book(error, run)
            return self._failed(OutcomeState.NOT_JUDGED, str(error))
        except BookDatabaseUnavailableError as error:  # not ours: that it is away can be told
            await self._note_book(error, run, confirmations=self._judging.position_confirmations)
            return self._failed(OutcomeState.NOT_JUDGED, str(error))
        except ReconcilerError as error:
            return self._failed(OutcomeState.NOT_JUDGED, str(error), error.retry_after)
        except TimeoutError:
            return self._failed(OutcomeState.NOT_JUDGED, f"the pass took over {PASS_DEADLINE}")
        except Exception as error:  # the one catch-all: a pass never ends the daemon
            log.exception(
                "[Reconcile] pass failed", account=self._tools.account, job=job, run_id=run
            )
            return self._failed(OutcomeState.FAILED, f"{type(error).__name__}: {error}")

    def _failed(
        self, state: OutcomeState, why: str, retry_after: timedelta | None = None
    ) -> PassResult:
        sentence = self._redact(why)
        account = self._tools.account
        log.warning("[Reconcile] not judged", account=account, state=state.value, why=sentence)
        finding = Finding(
            kind=state.value, account=account, subject="", text=sentence, action="none", details={}
        )
        outcome = Outcome(
            account=account,
            state=state,
            sentence=sentence,
            findings=(finding,),
            retry_after=retry_after,
        )
        return PassResult(outcome=outcome, facts=PassFacts())

    async def _pass(self, job: str, run: RunId, hands: Hands, *, positions: bool) -> PassResult:
        lease = await self._leases.acquire(self._tools.account)
        if isinstance(lease, Held):
            return self._failed(OutcomeState.HELD, f"held by another daemon ({lease.holder})")
        await self._settle_recorded(hands, lease)
        look = await take_look(self._tools, self._judging, lease, run)
        await _aside(look, "orders", _settle_orders)
        await _aside(look, "quarantine", close_ended)
        if positions:
            await _aside(look, "positions", _settle_positions)
            await _aside(look, "exposure", follow_exposure)
            await _aside(look, "containments", watch_contained)
            await _aside(look, "balances", settle_holdings)
        else:
            look.still_there.add((IncidentKind.MASS_CHANGE, "positions"))
        await _aside(look, "backlog", settle_backlog)
        await _aside(look, "account", _settle_account)
        await self._remember(look)
        outcome = _outcome(look)
        await self._record_run(look, job, outcome)
        tell(look, outcome, job)
        return PassResult(outcome=outcome, facts=look.facts)

    async def _settle_recorded(self, hands: Hands, lease: Lease) -> None:
        hands.lease = lease
        await settle_intents(hands)
        self._is_first = hands.is_first

    async def _remember(self, look: Look) -> None:
        """Suspicions as they stand now (those not judged stay); a steady state writes nothing."""
        keep, drop = look.suspicions.changes(settled=look.settled)
        if not keep and not drop:
            return
        async with look.writing() as record:
            await record.keep_suspicions(keep=keep, drop=drop)

    async def _record_run(self, look: Look, job: str, outcome: Outcome) -> None:
        """Passes that did something are kept; one in parity, or the same as before, is not."""
        if all(f.action in QUIET_ACTIONS for f in outcome.findings):
            return
        async with look.writing() as record:
            await record.add_run(job=job, outcome=outcome, started_at=look.now)

    async def _note_venue(self, failure: Failure, run: RunId) -> None:
        """The venue gave not even its markets: confirmed like any other suspicion."""
        kind = venue_kind(failure)
        draft = venue_draft(
            failure, account=self._tools.account, book=self._tools.book.name, kind=kind
        )
        await self._note(
            draft,
            run,
            confirmations=self._judging.position_confirmations,
            spacing=self._judging.position_confirm_after,
        )

    async def _note_book(
        self, error: ReconcilerError, run: RunId, *, confirmations: int = 1
    ) -> None:
        """A book that does not fit is certain at first sight; a server that is away is not."""
        account, book = self._tools.account, self._tools.book.name
        draft = IncidentDraft(
            key=IncidentKey(
                kind=IncidentKind.BOOK_UNREADABLE, book=book, account=account, subject=""
            ),
            severity=FIXED[IncidentKind.BOOK_UNREADABLE],
            title=f"book {book}: not readable, nothing is judged",
            details={"why": self._redact(str(error))},
        )
        spacing = self._judging.position_confirm_after if confirmations > 1 else timedelta(0)
        await self._note(draft, run, confirmations=confirmations, spacing=spacing)

    async def _note(
        self, draft: IncidentDraft, run: RunId, *, confirmations: int, spacing: timedelta
    ) -> None:
        lease = self._leases.mine(self._tools.account)
        if lease is None:
            return
        try:
            async with asyncio.timeout(NOTE_DEADLINE.total_seconds()):
                await self._suspect(lease, draft, run, confirmations=confirmations, spacing=spacing)
        except (ReconcilerError, TimeoutError) as error:
            log.warning("[Reconcile] could not record", account=lease.account, why=repr(error))
        except Exception:  # said while another error is told: it must not take that one's place
            log.exception("[Reconcile] could not record", account=lease.account)

    async def _suspect(
        self,
        lease: Lease,
        draft: IncidentDraft,
        run: RunId,
        *,
        confirmations: int,
        spacing: timedelta,
    ) -> None:
        account, book = self._tools.account, self._tools.book.name
        memory = await self._tools.store.memory(book=book, account=account)
        suspicions = SuspicionBook(memory.suspicions, book=book, account=account, now=memory.now)
        seen = suspicions.see(draft.key.kind, draft.key.subject, spacing=spacing)
        keep, _ = suspicions.changes(settled=())
        standing = {(i.key.kind, i.key.subject): i for i in memory.incidents}
        known = standing.get((draft.key.kind, draft.key.subject))
        is_news = known is None or (
            # A migration goes on from step to step: what is said names the one that it is at.
            draft.key.kind is IncidentKind.BOOK_UNREADABLE
            and known.details.get("why") != draft.details["why"]
        )
        is_due = is_news and is_confirmed(seen, confirmations=confirmations)
        if not keep and not is_due:
            return
        async with self._tools.writing(lease, run, self._judging.mode) as record:
            await record.keep_suspicions(keep=keep, drop=())
            if is_due:
                await record.open_incident(draft)


async def _settle_orders(look: Look) -> None:
    await act_on_orders(look, await plan_orders(look))


async def _settle_positions(look: Look) -> None:
    await act_on_positions(look, weigh_positions(look))


async def _settle_account(look: Look) -> None:
    await settle_account(look, weigh_account(look))


async def _aside(look: Look, what: str, settle: Callable[[Look], Awaitable[None]]) -> None:
    """Trouble with one part of a look, or one odd row in it, never keeps a ghost from being
    contained, nor what was seen from being remembered.
    """
    try:
        await settle(look)
    except LeaseLostError:
        raise
    except ReconcilerError as error:
        look.unjudged.append(f"{what}: {error}")
        look.find(what, "", str(error), "none")
    except Exception as error:
        account = look.tools.account
        tag = TAGS.get(what, "[Reconcile]")
        log.exception(f"{tag} {what} not judged", account=account, run_id=look.run)
        look.unjudged.append(f"{what}: {type(error).__name__}: {error}")
        look.find(what, "", f"{type(error).__name__}: {error}", "none")


def _outcome(look: Look) -> Outcome:
    """One sentence, and the heaviest state."""
    state = OutcomeState.PARITY
    if look.differs:
        state = OutcomeState.DISCREPANCY
    if look.unjudged:
        state = OutcomeState.NOT_JUDGED
    sentences = {
        OutcomeState.PARITY: "book and venue agree",
        OutcomeState.DISCREPANCY: "; ".join(
            f"{f.kind} {f.subject}: {f.action}" for f in look.findings[:3]
        )
        or "book and venue differ",
        OutcomeState.NOT_JUDGED: "; ".join(look.unjudged[:3]),
    }
    pause = look.memory.pause
    suffix = f" ({pause.sentence}: judged, and nothing is written)" if pause is not None else ""
    return Outcome(
        account=look.tools.account,
        state=state,
        sentence=sentences[state] + suffix,
        findings=tuple(look.findings),
        recheck_after=min(look.recheck, default=None),
        retry_after=min(
            (f.retry_after for f in look.snapshot.failures() if f.retry_after), default=None
        ),
    )
