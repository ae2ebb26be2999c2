"""Canned accounts, one per described venue: what the venue sends, and what is to be read of it."""
