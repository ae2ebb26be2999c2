"""freqtrade's API server as a bot's stand-in: its answers are recorded from the real one."""

from reconciler.simulation.freqtrade_api.server import SimulatedFreqtrade

__all__ = ["SimulatedFreqtrade"]
