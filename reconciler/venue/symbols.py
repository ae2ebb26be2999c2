"""One key for each market, from any of its spellings (rule 14)."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.domain.identity import Symbol

_SEPARATORS = re.compile(r"[/\-_\s]")


def compact(raw: str) -> str:
    """Return a spelling without settle currency and separators, in upper case.

    Where no market is known by a name, both sides still meet in this form.
    """
    return _SEPARATORS.sub("", raw.strip().split(":", 1)[0]).upper()


class Symbols:
    """The spellings of one venue's markets. Pure; answers are kept."""

    def __init__(
        self,
        markets: Mapping[str, Mapping[str, Any]],
        *,
        default_type: str | None = None,
        implied_quote: str | None = None,
    ) -> None:
        """Index `markets`; where a spelling fits several, only `default_type` is meant.

        A symbol that is not loaded and names `implied_quote` is the one without it.
        """
        self._implied = f"/{implied_quote}" if implied_quote else None
        self._markets = markets
        self._default_type = default_type
        self._answers: dict[str, Symbol] = {}
        self._by_id: dict[str, list[str]] = defaultdict(list)
        self._by_pair: dict[str, list[str]] = defaultdict(list)
        for symbol, market in markets.items():
            self._by_id[str(market.get("id") or "").upper()].append(symbol)
            if market.get("expiry") is None:
                # A dated contract is never meant by the bare pair.
                self._by_pair[compact(symbol)].append(symbol)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._markets

    def of(self, raw: str) -> Symbol:
        """Return ccxt's symbol of the market that `raw` can only mean, else its compact form."""
        known = self._answers.get(raw)
        if known is None:
            known = self._answers[raw] = self._find(raw.strip())
        return known

    def _find(self, raw: str) -> Symbol:
        if raw in self._markets:
            return Symbol(raw)
        upper = raw.upper()
        for found in (self._by_id.get(upper, ()), self._with_settle(upper)):
            meant = found if len(found) == 1 else self._of_default_type(found)
            if len(meant) == 1:
                return Symbol(meant[0])
        if self._implied and upper.endswith(self._implied):
            upper = upper.removesuffix(self._implied)
        return Symbol(compact(upper))

    def _of_default_type(self, found: Sequence[str]) -> list[str]:
        return [s for s in found if self._markets[s].get("type") == self._default_type]

    def _with_settle(self, upper: str) -> list[str]:
        """Return the markets of that pair, and of that settle currency where it is named."""
        _, colon, settle = upper.partition(":")
        found = self._by_pair.get(compact(upper), [])
        if not colon:
            return found
        return [symbol for symbol in found if symbol.upper().partition(":")[2] == settle]
