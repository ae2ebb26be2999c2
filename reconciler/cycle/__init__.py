"""One account, one pass: observe → compare → confirm → guard → act → record."""
