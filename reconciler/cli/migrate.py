"""`reconciler migrate`: own schema to the newest version."""

from typing import Annotated

import typer

from reconciler.cli.starting import ConfigOption, finish, start


def migrate(
    config: ConfigOption = None,
    with_native_book: Annotated[  # noqa: FBT002 - typer's flags
        bool, typer.Option("--with-native-book", help="Create schema bot as well, for a new bot.")
    ] = False,
) -> None:
    """Bring schema `reconciler` to the newest version. Safe to run at any time."""
    from reconciler.service.assembly import database_url  # noqa: PLC0415 - the heavy part
    from reconciler.store.migrations import migrate as bring_up  # noqa: PLC0415 - as above
    from reconciler.store.migrations import newest_version  # noqa: PLC0415 - as above

    settings, redactor = start(config)

    async def work() -> bool:
        return await bring_up(database_url(settings), with_native_book=with_native_book)

    changed = finish(work(), redactor)
    said = "is now at" if changed else "was already at"
    typer.echo(f"schema reconciler {said} version {newest_version()}")
    if with_native_book:
        typer.echo("schema bot (the native book) is there")
