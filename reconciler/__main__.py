"""`python -m reconciler`, and the program `reconciler`."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from reconciler.cli.app import app  # noqa: PLC0415 - typer and rich, for the program only

        app()
    except KeyboardInterrupt:  # before a command could take it over
        sys.exit(130)


if __name__ == "__main__":
    main()
