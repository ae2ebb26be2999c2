# ruff: noqa: INP001 - a script, in no package
"""The image's HEALTHCHECK: exit 0 where /health/live answers 200, else 1.

Standard library only, and of that the least: it starts every few seconds beside the daemon.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException
from typing import Final

SECONDS: Final = 3
"""For the whole of it, below the 5 s of the HEALTHCHECK: the event loop answers in milliseconds."""
OK: Final = 200


def is_alive(host: str, port: int) -> bool:
    """Whether the daemon's event loop turns."""
    connection = HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    given = int(os.environ.get("RECONCILER_HTTP__PORT", "8080"))
    sys.exit(0 if is_alive("127.0.0.1", given) else 1)
