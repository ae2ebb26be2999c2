"""Binance's request signature: HMAC-SHA256, in hex, of everything before `&signature=`."""

import hashlib
import hmac
from datetime import datetime

from reconciler.simulation.venue.clock import milliseconds
from reconciler.simulation.venue.records import Refused

DEFAULT_WINDOW_MS = 5000
# Binance lets a client's clock be this far ahead before it refuses.
AHEAD_MS = 1000


def check_signature(sent: str, *, secret: str) -> None:
    """Check the raw query string and body, concatenated as they were sent.

    Raises:
        Refused: -1102 without a signature, -1022 with a wrong one.

    """
    signed, separator, signature = sent.rpartition("&signature=")
    if not separator:
        raise Refused(
            -1102, "Mandatory parameter 'signature' was not sent, was empty/null, or malformed."
        )
    expected = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise Refused(-1022, "Signature for this request is not valid.")


def check_timestamp(timestamp: int, *, window: int | None, told_at: datetime) -> None:
    """Check that the request was made within its window; `timestamp` and `window` in ms.

    Raises:
        Refused: -1021 when it was made too long ago, or in the venue's future.

    """
    now = milliseconds(told_at)
    if timestamp > now + AHEAD_MS:
        raise Refused(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - timestamp > (DEFAULT_WINDOW_MS if window is None else window):
        raise Refused(-1021, "Timestamp for this request is outside of the recvWindow.")
