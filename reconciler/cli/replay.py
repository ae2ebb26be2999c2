"""`reconciler replay`: judge a stored bundle again, with no database and no venue."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler.cli.starting import BAD_USAGE, JsonOption, fail, wants_json

DIFFERENT = 1


def replay(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="As `incidents export` wrote.")],
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """Judge an evidence bundle again with today's rules. Exit 0 where they say the same, 1 where
    they say something else, 2 where the bundle cannot be read.
    """
    from reconciler.incidents.bundles import BundleUnreadableError  # noqa: PLC0415 - the rules
    from reconciler.incidents.replaying import replay as judge_again  # noqa: PLC0415 - as above

    try:
        replayed = judge_again(_read(bundle))
    except BundleUnreadableError as error:
        fail(f"{bundle}: {error}", BAD_USAGE)
    if wants_json(as_json):
        report = {name: getattr(replayed, name) for name in replayed.__dataclass_fields__}
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"then  {replayed.then}\n      {replayed.reason_then}")
        typer.echo(f"now   {replayed.now}\n      {replayed.reason_now}")
        typer.echo("the same" if replayed.same else "DIFFERENT")
    raise typer.Exit(0 if replayed.same else DIFFERENT)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        fail(f"{path}: {error.strerror}", BAD_USAGE)
    except (ValueError, RecursionError) as error:
        fail(f"{path} is no JSON: {error}", BAD_USAGE)
