"""What is wrong with the configuration, in lines that can be printed as they are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong; no part of it ever holds a secret."""

    origin: str
    """Where it was given: `file:line`, the name of a variable, the path of a secret file."""

    key: str
    """The dotted key, empty where the whole source is meant."""

    says: str
    """What was given (unless secret) and what is accepted."""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.origin, self.key, self.says) if part)


class ConfigurationError(Exception):
    """The configuration cannot be used; `str()` is ready to print, one problem a line."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
