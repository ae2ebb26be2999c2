"""reconciler: the daemon that keeps a trading bot honest."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("reconciler")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.0.0"
