"""Faults share one stage."""

from tests.scenarios.setting import setting

__all__ = ["setting"]
