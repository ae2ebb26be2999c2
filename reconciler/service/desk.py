"""The desk of a process: what operations work with, out of the assembly."""

from reconciler.domain.identity import AccountName, BookName
from reconciler.incidents.desk import Desk, WatchedAccount
from reconciler.rules.ghost_positions import PositionLimits
from reconciler.rules.policy import ActingPolicy
from reconciler.service.assembly import Assembly, judging_of
from reconciler.settings import Settings
from reconciler.venue.acting import CcxtActing


def desk_of(assembly: Assembly) -> Desk:
    """One desk beneath command line and HTTP."""
    settings = assembly.settings
    return Desk(
        pool=assembly.pool,
        books=assembly.books,
        venues=assembly.venues,
        accounts={
            AccountName(name): WatchedAccount(
                venue=account.venue,
                book=BookName(account.book),
                orders=judging_of(settings, account).orders,
                ignored_symbols=account.ignore.symbols,
                ignored_order_ids=account.ignore.venue_order_ids,
            )
            for name, account in settings.accounts.items()
        },
        mode=settings.mode,
        stale_after=settings.orders.stale_after,
        parity_needed=settings.positions.confirmations,
        redact=assembly.redactor.value,
        policy=acting_policy_of(settings),
        acting={name: CcxtActing(venue) for name, venue in assembly.venues.items()},
    )


def acting_policy_of(settings: Settings) -> ActingPolicy:
    """What an operator may have done at the venues."""
    policy, positions = settings.policy, settings.positions
    return ActingPolicy(
        cancel_stuck_orders=policy.cancel_stuck_orders == "operator",
        cancel_max_notional=policy.cancel_max_notional,
        close_ghosts=policy.close_ghosts == "operator",
        close_max_notional=policy.close_max_notional,
        ghost_threshold_notional=policy.ghost_threshold_notional,
        positions=PositionLimits(
            grace=positions.grace, tolerance_notional=positions.tolerance_notional
        ),
    )
