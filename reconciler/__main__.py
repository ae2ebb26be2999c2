"""`python -m reconciler`, and the program `reconciler`."""


def main() -> None:
    """Run the command line."""
    from reconciler.cli.app import app  # noqa: PLC0415 - typer and rich, for the program only

    app()


if __name__ == "__main__":
    main()
