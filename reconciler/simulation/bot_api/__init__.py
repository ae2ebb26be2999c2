"""A simulated bot's API and WebSocket over real HTTP, good days and bad ones."""

from reconciler.simulation.bot_api.server import SimulatedBotApi, by_project, by_secret

__all__ = ["SimulatedBotApi", "by_project", "by_secret"]
