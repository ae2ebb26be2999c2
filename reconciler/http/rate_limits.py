"""Token buckets: how often one address, or one caller, may ask. Memory is bounded."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

MOST_KEYS: Final = 4096
"""The one not seen for longest is forgotten first: it has had the most time to fill up again."""
IPV6_NETWORK: Final = 64
"""Bits: what one customer of a provider has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many a second in the long run, and so many at once."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the API grants."""

    address: Rate = field(default=Rate(per_second=10, burst=30))
    """One client address, whoever asks from there."""

    caller: Rate = field(default=Rate(per_second=10, burst=30))
    """One token, or one user of Supabase's, from wherever they ask."""

    refusals: Rate = field(default=Rate(per_second=1, burst=10))
    """Tokens refused, by address: guessing must not pay, nor fill our log."""


class Buckets:
    """One bucket for each key, all of one rate."""

    def __init__(
        self,
        rate: Rate,
        *,
        clock: Callable[[], float] = time.monotonic,
        most_keys: int = MOST_KEYS,
    ) -> None:
        """`clock` tells seconds."""
        self._rate = rate
        self._clock = clock
        self._most_keys = most_keys
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> timedelta | None:
        """Take one, or say how long until there is one."""
        level = self._level(key)
        if level < 1:
            return timedelta(seconds=(1 - level) / self._rate.per_second)
        self._levels[key] = (level - 1, self._clock())
        self._levels.move_to_end(key)
        if len(self._levels) > self._most_keys:
            self._levels.popitem(last=False)
        return None

    def _level(self, key: str) -> float:
        level, at = self._levels.get(key, (float(self._rate.burst), self._clock()))
        grown = level + (self._clock() - at) * self._rate.per_second
        return min(float(self._rate.burst), grown)


def address_key(host: str | None) -> str:
    """What counts as one address: an IPv6 customer has 2^64 of them."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return host or ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_NETWORK), strict=False))


def retry_after(wait: timedelta) -> str:
    """The header's value: whole seconds, rounded up."""
    return str(max(1, math.ceil(wait.total_seconds())))
