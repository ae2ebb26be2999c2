"""The daemon's own log lines, caught before they reach the terminal."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line: its level, its event text, and what was done about it or how it ended."""

    level: str
    text: str
    subject: str = ""
    action: str = ""

    def __str__(self) -> str:
        return f"{self.text} [{self.action}]" if self.action else self.text


class LogTail(io.StringIO):
    """The stream that `configure_logs` writes JSON lines to."""

    def __init__(self, tell: Callable[[LogLine], None]) -> None:
        super().__init__()
        self._tell = tell

    def write(self, text: str) -> int:
        """Take whole lines, which is how logging writes them."""
        for line in text.splitlines():
            if line.strip():
                self._tell(_read(line))
        return len(text)


def _read(line: str) -> LogLine:
    try:
        fields = json.loads(line)
    except ValueError:  # not ours; shown as it is
        return LogLine(level="warning", text=line)
    text = str(fields.get("event", ""))
    why = fields.get("why") or fields.get("exception")
    return LogLine(
        level=str(fields.get("level", "info")),
        text=f"{text}: {str(why).strip().splitlines()[-1]}" if why else text,
        subject=str(fields.get("subject", "")),
        action=str(fields.get("action") or fields.get("state") or ""),
    )
