"""Standard output whose reader may go away: `| head -3`, a closed terminal window."""

import contextlib
import io
import os
from collections.abc import Callable
from typing import TextIO


class Outlet(io.StringIO):
    """Writes through at once. When nobody reads any more, it says so once and falls silent."""

    def __init__(self, stream: TextIO, *, closed: Callable[[], None]) -> None:
        super().__init__()
        self._stream = stream
        self._closed = closed
        self._gone = False
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no "…" gets a "?"

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As the stream's; rich draws its boxes by it."""
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        """Whether a person looks at a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The stream's."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write and flush."""
        if not self._gone:
            try:
                self._stream.write(text)
                self._stream.flush()
            except OSError:
                self._gone = True
                self._discard()
                self._closed()
        return len(text)

    def flush(self) -> None:
        """Everything is flushed already."""

    def _discard(self) -> None:
        """What the stream still holds would fail again when Python exits, and be complained of."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
