"""The daemon's face over HTTP: health and metrics for machines, the API for operators."""
