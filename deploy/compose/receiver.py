# ruff: noqa: INP001 - a script, in no package
"""Prints what Alertmanager sends, one line for each alert: `docker compose logs -f receiver`.

To see the whole way once; put a pager in its place in deploy/alertmanager/alertmanager.yml.
Standard library only: it runs in our image.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

PORT: Final = 9095
MOST_BYTES: Final = 1024**2


class Receiver(BaseHTTPRequestHandler):
    """Takes a POST of Alertmanager's webhook, whatever the path; the path says which route."""

    timeout = 10

    def do_GET(self) -> None:
        """For the health check."""
        self._answer(200)

    def do_POST(self) -> None:
        """Print the alerts."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            self._answer(413)
            return
        try:
            alerts = json.loads(self.rfile.read(length))["alerts"]
            lines = [_line(self.path, alert) for alert in alerts]
        except (ValueError, KeyError, TypeError):
            self._answer(400)
            return
        sys.stdout.write("".join(lines))
        sys.stdout.flush()
        self._answer(200)

    def log_message(self, *_: object) -> None:
        """Requests by themselves are no news."""

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _line(path: str, alert: dict[str, dict[str, str]]) -> str:
    labels = {name: text for name, text in alert["labels"].items() if name != "alertname"}
    shown = {
        "route": path.strip("/"),
        "status": alert["status"],
        "alert": alert["labels"]["alertname"],
        "labels": labels,
        **alert.get("annotations", {}),
    }
    return json.dumps(shown) + "\n"


def main() -> None:
    """Serve until the process is ended."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else PORT
    with ThreadingHTTPServer(("", port), Receiver) as server:
        sys.stdout.write(json.dumps({"listening": server.server_port}) + "\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
