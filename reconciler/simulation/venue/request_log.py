"""Which requests reached the simulated venue: counters, and the last ones in order."""

from collections import Counter, deque
from dataclasses import dataclass

KEPT_REQUESTS = 100_000
# The status recorded for a request that got no answer (hang, reset, cut connection).
NO_ANSWER = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request: the endpoint's name, whose key it came with, and what it was answered."""

    endpoint: str
    account: str | None
    status: int


class RequestLog:
    """Counters that never forget, and the last hundred thousand requests."""

    def __init__(self) -> None:
        self.requests: deque[LoggedRequest] = deque(maxlen=KEPT_REQUESTS)
        self.counts: Counter[LoggedRequest] = Counter()

    def note(self, *, endpoint: str, account: str | None, status: int) -> None:
        """Record one request."""
        request = LoggedRequest(endpoint=endpoint, account=account, status=status)
        self.requests.append(request)
        self.counts[request] += 1

    def count(
        self,
        endpoint: str | None = None,
        *,
        account: str | None = None,
        status: int | None = None,
    ) -> int:
        """Return how many requests there were, of that endpoint, account and status if given."""
        return sum(
            number
            for request, number in self.counts.items()
            if endpoint in {None, request.endpoint}
            and account in {None, request.account}
            and status in {None, request.status}
        )

    def clear(self) -> None:
        """Start counting anew."""
        self.requests.clear()
        self.counts.clear()
