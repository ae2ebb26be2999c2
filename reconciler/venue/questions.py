"""Questions that come before the listings of some venues, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EachOf:
    """A parameter that a listing takes one value of, and the call that tells the values."""

    param: str
    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    values_at: tuple[str, ...] = ()
    null_is_none: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMode:
    """A question whose answer tells whether the account is of the kind that is described here.

    Asked before each snapshot: the calls for one kind may be refused, or be empty, for another.
    """

    method: str
    at: tuple[str, ...]
    """Keys that lead to the venue's word for the kind."""
    word: str
