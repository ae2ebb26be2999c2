"""Tests of reconciler; a package, so that `tests.postgres` can be named as a plugin."""
