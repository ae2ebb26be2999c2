"""How a bot is told to enter no more trades, where no row of its book decides that."""

from reconciler.deactivation.choosing import driver_of, why_doubtful

__all__ = ["driver_of", "why_doubtful"]
