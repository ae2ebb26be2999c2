"""Plain SQL files as alembic steps."""

from pathlib import Path

from alembic import op

VERSIONS = Path(__file__).parent / "versions"


def run_script(name: str) -> None:
    """Run the statements of one file of `versions/`, in order."""
    for statement in statements_of((VERSIONS / name).read_text(encoding="utf-8")):
        op.execute(statement)


def statements_of(script: str) -> list[str]:
    """Split a script at semicolons that end a line: our files hold no function bodies."""
    lines = (line for line in script.splitlines() if not line.lstrip().startswith("--"))
    text = "\n".join(lines) + "\n"
    return [s.strip() for s in text.split(";\n") if s.strip()]
