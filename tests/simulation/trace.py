"""What happened, in words: the last lines for people, a hash of all of them for comparing runs."""

import hashlib
from collections import deque
from collections.abc import Callable

KEPT_LINES = 4000


class Trace:
    """Every line is hashed; the last ones are kept."""

    def __init__(self, time: Callable[[], float], *, is_shown: bool = False) -> None:
        self._time = time
        self._hash = hashlib.blake2b(digest_size=16)
        self._is_shown = is_shown
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)

    def __call__(self, text: str) -> None:
        """One line, with its time."""
        line = f"{stamp(self._time())} {text}"
        self._hash.update(line.encode())
        self.lines.append(line)
        if self._is_shown:
            print(line, flush=True)  # noqa: T201 - what --trace asks for

    @property
    def digest(self) -> str:
        """Of every line so far."""
        return self._hash.hexdigest()

    def about(self, subject: str, *, most: int = 40) -> list[str]:
        """The last lines that name any part of the subject, and the last few of all."""
        names = [n for n in subject.replace("|", " ").split() if n]
        lines = list(self.lines)
        told = [line for line in lines if any(name in line for name in names)][-most:]
        return told + [line for line in lines[-12:] if line not in told]


def stamp(seconds: float) -> str:
    """`12h03m04.567s` of virtual time."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:4d}h{minutes:02d}m{rest:06.3f}s"
