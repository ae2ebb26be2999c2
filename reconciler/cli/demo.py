"""`reconciler demo`: being built."""


def demo() -> None:
    """Placeholder until the demo lands."""
