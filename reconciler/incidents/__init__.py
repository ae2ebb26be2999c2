"""Incidents as people work on them."""
