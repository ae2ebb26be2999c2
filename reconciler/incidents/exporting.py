"""An incident's evidence as a file: the bundle, or a regression test that replays it."""

import json
from typing import Any

from reconciler.incidents.answers import Written
from reconciler.incidents.bundles import BundleUnreadableError
from reconciler.incidents.desk import Desk
from reconciler.incidents.errors import RefusedError
from reconciler.incidents.listing import incident_row
from reconciler.incidents.operating import SQL
from reconciler.incidents.replaying import Replayed, replay
from reconciler.store.connecting import borrowed

TEST = '''# ruff: noqa: E501, RUF100 - a reason is one line of JSON, however long
"""Incident {id}, {kind}, as it was on {day}: today's rules must still say the same.

Made by `reconciler incidents export {id} --as-test`.
"""

import json

from reconciler.incidents.replaying import replay

VERDICT = {verdict}
BUNDLE = json.loads(
    r"""
{bundle}
"""
)


def test_incident_{id}_{kind}() -> None:
    """As it was then: {reason}."""
    replayed = replay(BUNDLE)
    assert replayed.now == VERDICT, replayed.reason_now
'''


async def export_bundle(desk: Desk, incident_id: int) -> Written:
    """The latest bundle, as `reconciler replay` reads it. Raises NotFoundError; RefusedError where
    no evidence was kept.
    """
    _, bundle = await _evidence(desk, incident_id)
    return Written(
        incident_id=incident_id,
        text=json.dumps(bundle, indent=2, ensure_ascii=False) + "\n",
        format="json",
        filename=f"incident-{incident_id}.json",
    )


async def export_test(desk: Desk, incident_id: int) -> Written:
    """A pytest file that stands alone: the bundle inside, and the verdict it must reach.

    Raises NotFoundError; RefusedError where the bundle cannot be judged again, or today's rules
    say something else already.
    """
    row, bundle = await _evidence(desk, incident_id)
    try:
        replayed = replay(bundle)
    except BundleUnreadableError as error:
        raise RefusedError(f"the evidence cannot be judged again: {error}") from error
    if not replayed.same:
        raise RefusedError(
            f"today's rules say {replayed.now!r} of it, not {replayed.then!r}: a test of what is "
            "no longer so would fail at once"
        )
    return Written(
        incident_id=incident_id,
        text=_test_of(row, bundle, replayed),
        format="python",
        filename=f"test_incident_{incident_id}.py",
    )


def _test_of(row: Any, bundle: Any, replayed: Replayed) -> str:
    # JSON has no triple quotes but in texts; there they are spelt as JSON can.
    text = json.dumps(bundle, indent=2, ensure_ascii=True).replace('"""', '""\\u0022')
    return TEST.format(
        id=row["id"],
        kind=row["kind"],
        day=f"{row['opened_at']:%Y-%m-%d}",
        bundle=text,
        reason=_one_line(replayed.reason_then),
        verdict=json.dumps(replayed.then, ensure_ascii=False),
    )


def _one_line(text: str) -> str:
    """Fit for a docstring."""
    plain = text.encode("ascii", "replace").decode().replace("\\", "/").replace('"', "'")
    return " ".join(plain.split())[:80].rstrip(" .")


async def _evidence(desk: Desk, incident_id: int) -> tuple[Any, Any]:
    async with borrowed(desk.pool) as connection:
        row = await incident_row(connection, incident_id)
        bundles = await connection.fetch(SQL["evidence"], incident_id, 1)
    if not bundles:
        raise RefusedError(f"incident {incident_id} has no evidence")
    return row, json.loads(bundles[0]["bundle"])
