"""Operator tokens: `[api.tokens.<who>]`, of which we know the hashes only."""

import hashlib
import hmac
from collections.abc import Mapping

from reconciler.http.callers import Caller
from reconciler.settings.people import TokenSettings


class OperatorTokens:
    """The tokens of the configuration."""

    def __init__(self, tokens: Mapping[str, TokenSettings]) -> None:
        self._callers = [
            (
                bytes.fromhex(token.hash.get_secret_value().removeprefix("sha256:")),
                Caller(name=name, role=token.role),
            )
            for name, token in tokens.items()
        ]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._callers)

    def caller(self, token: str) -> Caller | None:
        """Whose token it is; None: none of these. Takes as long for a near miss as for a far one:
        every hash is compared, each in constant time.
        """
        digest = hashlib.sha256(token.encode()).digest()
        found = None
        for known, caller in self._callers:
            if hmac.compare_digest(known, digest):
                found = caller
        return found
