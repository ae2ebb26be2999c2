"""Our SQL: each statement has a name and a sentence, in `.sql` files beside this."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def queries(file: str) -> Mapping[str, str]:
    """Statements of `<file>.sql` by name."""
    text = (Path(__file__).parent / f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {
        name: "\n".join(line for line in body.splitlines() if not line.startswith("--"))
        .strip()
        .rstrip(";")
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
