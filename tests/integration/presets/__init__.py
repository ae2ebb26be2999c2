"""Presets on the schemas of real bots."""
