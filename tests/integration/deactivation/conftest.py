"""The stage of the scenarios, for what the whole daemon does with a driver."""

from tests.scenarios.setting import setting

__all__ = ["setting"]
