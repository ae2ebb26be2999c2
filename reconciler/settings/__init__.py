"""The configuration: the only reader of the environment, of secret files and of the TOML file."""

from reconciler.settings.errors import ConfigurationError
from reconciler.settings.load import load_settings
from reconciler.settings.model import Settings

__all__ = ["ConfigurationError", "Settings", "load_settings"]
