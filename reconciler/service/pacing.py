"""How often the accounts of each venue are looked at: as configured, or as its budget holds."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from reconciler.domain.identity import AccountName
from reconciler.rules.scheduling import (
    Intervals,
    LookCost,
    intervals_that_hold,
    shortest_interval,
)
from reconciler.service.assembly import Assembly
from reconciler.settings.accounts import AccountSettings
from reconciler.settings.durations import format_duration

TENTHS_BELOW = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Of all accounts at one venue and host: they share an address, and perhaps a budget."""

    venue: str
    """With its host, where another one is configured."""
    accounts: tuple[AccountName, ...]
    cost: LookCost | None
    """None: not connected, nothing is known."""
    shortest: timedelta
    wanted: Intervals
    held: Intervals

    @property
    def is_stretched(self) -> bool:
        """The configured intervals are shorter than the budget holds."""
        return self.held != self.wanted

    @property
    def says(self) -> str:
        """One line for people."""
        cost, count = self.cost, len(self.accounts)
        if cost is None:
            return f"{count} accounts every {_shown(self.wanted)}"
        whose = "each account" if cost.per_account else "the address"
        return (
            f"{count} account{'s' * (count != 1)} every {_shown(self.wanted)} as configured; the "
            f"budget holds one look at each every {_rounded(self.shortest)} (a look takes "
            f"{cost.weight:g} of the {cost.weight_per_minute:.0f} a minute of {whose}, rate_share "
            f"{cost.rate_share:g})" + (f": every {_shown(self.held)}" * self.is_stretched)
        )

    @property
    def mend(self) -> str:
        """What a person can do; empty where nothing needs to be done."""
        if not self.is_stretched:
            return ""
        longer = f'schedule.reconciliation and order_status_sync = "{_rounded(self.shortest)}"'
        by_address = self.cost is not None and (
            not self.cost.per_account or self.cost.requests_per_minute is not None
        )
        elsewhere = ", or some of the accounts from another IP address" * by_address
        return f"{longer} or longer, or more rate_share{elsewhere}"


def paces(assembly: Assembly) -> list[Pace]:
    """Return the pace of each venue and host. Accounts must have been connected."""
    schedule = assembly.settings.schedule
    wanted = Intervals(
        reconciliation=schedule.reconciliation, order_status_sync=schedule.order_status_sync
    )
    places: dict[tuple[str, str], list[AccountName]] = {}
    for name, venue in assembly.venues.items():
        places.setdefault(venue.place, []).append(name)
    found = []
    for (venue_name, host), names in places.items():
        cost = assembly.venues[names[0]].look
        accounts = [assembly.settings.accounts[name] for name in names]
        shortest = timedelta(0)
        if cost is not None:
            shortest = shortest_interval(
                cost, accounts=len(names), of_one_key=_most_of_one_key(accounts)
            )
        found.append(
            Pace(
                venue=f"{venue_name} ({host})" if host else venue_name,
                accounts=tuple(names),
                cost=cost,
                shortest=shortest,
                wanted=wanted,
                held=intervals_that_hold(wanted, shortest=shortest),
            )
        )
    return found


def _most_of_one_key(accounts: Iterable[AccountSettings]) -> int:
    keys = Counter(
        account.api_key.get_secret_value() for account in accounts if account.api_key is not None
    )
    return max(keys.values(), default=1)


def _shown(intervals: Intervals) -> str:
    reconciliation = _rounded(intervals.reconciliation)
    order_status_sync = _rounded(intervals.order_status_sync)
    if reconciliation == order_status_sync:
        return reconciliation
    return f"{reconciliation} (order status sync: {order_status_sync})"


def _rounded(span: timedelta) -> str:
    """Round up to seconds, to a tenth below ten."""
    seconds = span.total_seconds()
    if seconds < TENTHS_BELOW:
        return f"{math.ceil(round(seconds * 10, 6)) / 10:g}s"
    return format_duration(timedelta(seconds=math.ceil(seconds)))
