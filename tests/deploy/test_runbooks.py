"""Every `reconciler …` that the documentation has people type is a command with such options."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from reconciler.cli.app import app
from tests.deploy.shipped import DEPLOY, ROOT

PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(DEPLOY.rglob("*.md")), ROOT / "README.md"]
ENDS = re.compile(r"\s+(?:#|\||&&|;|>|2>|→)|\s{3,}|[…`]|;$")
"""What comes after a command in a line."""


def typed(page: Path) -> Iterator[str]:
    """Lines of blocks that begin with the command, and what stands between backticks."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    for part in re.split(r"\n|; | && ", "\n".join(blocks)):
        if found := re.search(
            r"(?:^|-- |\$ |exec \S+ (?:-T )?reconciler |bin/)reconciler (?!reconciler)(.*)", part
        ):
            yield found[1]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`reconciler ([^`]+)`", prose)


def words_of(command: str) -> list[str]:
    said = ENDS.split(command, maxsplit=1)[0]
    return shlex.split(re.sub(r"\[|\]", " ", said))


def why_not(words: list[str]) -> str | None:
    """Why the command line would not take them."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    for word in words:
        if word.startswith("--") and word.split("=")[0] not in {*known, "--help"}:
            return f"{command.name} has no {word}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_the_page_exist(page: Path) -> None:
    wrong = []
    for command in typed(page):
        words = words_of(command)
        if words and words[0].islower() and (reason := why_not(words)):
            wrong.append(f"reconciler {command}: {reason}")
    assert wrong == []


def test_commands_are_found() -> None:
    assert sum(1 for page in PAGES for _ in typed(page)) > 80


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert why_not(["incidents", "mend", "1"]) == "no command mend"
    assert why_not(["incidents", "ack", "1", "--who", "me"]) == "ack has no --who"
    assert why_not(["incidents", "ack", "1", "--by", "me"]) is None
