"""The desk over HTTP: every operation is done, signed, and refused as on the command line."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from reconciler.simulation.venue.records import PositionSide
from tests.integration.api.setting import MUTATIONS, SLASHED, Api, serving
from tests.integration.api.tokens import OPERATOR_SUB, VIEWER_TOKEN, Jwks
from tests.scenarios.setting import Setting

AT_THE_VENUE = {"orders_cancel", "positions_close"}
"""What has nothing to do in a seeded database alone."""


async def test_every_operation_is_done_and_signed(api: Api) -> None:
    token = api.jwks.signed(email="ann@example.com")
    done = {name: asked for name, asked in MUTATIONS.items() if name not in AT_THE_VENUE}
    for name, (path, body) in done.items():
        status, answer = await api.ask("POST", path, token=token, json=body)
        assert status == (202 if name == "reconcile" else 200), (name, answer)
        assert set(answer) == {"operation", "target", "said", "incident_id"}
    rows = await api.setting.rows("select * from reconciler.operations order by id")
    assert len(rows) == len(done)
    signed = {(row["who"], row["surface"], row["outcome"]) for row in rows}
    assert signed == {(f"ann@example.com ({OPERATOR_SUB})", "http", "done")}
    assert await api.setting.status() == "active"
    book = await api.setting.rows("select id, status from bot.orders order by id")
    assert {row["id"]: row["status"] for row in book} == {"o1": "canceled", SLASHED: "unknown"}
    asked = await api.setting.row("select subject, requested_by from reconciler.requests")
    assert (asked["subject"], asked["requested_by"]) == ("main", rows[0]["who"])


@pytest.mark.parametrize(
    "name", sorted(set(MUTATIONS) - AT_THE_VENUE - {"accounts_pause", "reconcile"})
)
async def test_a_second_time_is_refused_with_the_reason(api: Api, name: str) -> None:
    for first in MUTATIONS:
        path, body = MUTATIONS[first]
        await api.ask("POST", path, json=body)
        if first == name:
            break
    path, body = MUTATIONS[name]
    before = await api.setting.book()
    status, answer = await api.ask("POST", path, json=body)
    assert status in {404, 409}, answer
    assert answer["detail"]
    assert status == 404 or answer["reasons"]
    assert await api.setting.book() == before


READING: list[tuple[str, type]] = [
    ("/api/status", dict),
    ("/api/incidents", list),
    ("/api/incidents?status=all&severity=SEV-1&kind=ghost_position&account=main&limit=5", list),
    ("/api/incidents/2", dict),
    ("/api/incidents/2/message", dict),
    ("/api/incidents/2/rca", dict),
    ("/api/quarantine?review=all", list),
    ("/api/quarantine/o1", dict),
    ("/api/quarantine/o1?live=true", dict),
    ("/api/profiles", list),
    ("/api/profiles/p1", dict),
    ("/api/orders?stale=true", list),
    (f"/api/orders/{quote(SLASHED, safe='')}", dict),
    ("/api/positions?account=main", list),
    ("/api/accounts", list),
    ("/api/guards?account=side", list),
    ("/api/ignores", list),
    ("/api/operations", list),
    ("/api/openapi.json", dict),
]


@pytest.mark.parametrize(("path", "kind"), READING)
async def test_a_viewer_reads_everything(api: Api, path: str, kind: type) -> None:
    before = await api.dump()
    status, answer = await api.ask("GET", path, token=VIEWER_TOKEN)
    assert status == 200, answer
    assert isinstance(answer, kind)
    assert await api.dump() == before


async def test_the_evidence_of_a_ghost_is_judged_again(setting: Setting, jwks: Jwks) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await setting.once()
    async with serving(setting, jwks) as api:
        _, [incident] = await api.ask("GET", "/api/incidents")
        at = f"/api/incidents/{incident['id']}"
        status, bundle = await api.ask("GET", f"{at}/evidence")
        assert (status, bundle["account"]) == (200, "main")
        status, replayed = await api.ask("GET", f"{at}/replay")
        assert (status, replayed["same"]) == (200, True), replayed
        status, written = await api.ask("GET", f"{at}/test")
        assert (status, written["format"]) == (200, "python"), written
        status, written = await api.ask("GET", f"{at}/message")
        assert "Severity: SEV-1" in written["text"]


async def test_a_ghost_is_closed_by_an_operator(setting: Setting, jwks: Jwks) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await setting.once()
    path, body = MUTATIONS["positions_close"]
    async with serving(setting, jwks) as api:
        assert (await api.ask("POST", path, json=body, token=VIEWER_TOKEN))[0] == 403
        dry = await api.ask("POST", path, json={**(body or {}), "execute": False})
        assert (dry[0], dry[1]["outcome"]) == (200, "dry_run"), dry
        assert setting.ledger.position("SOLUSDT", PositionSide.BOTH).qty == -10
        status, report = await api.ask("POST", path, json=body)
        assert (status, report["outcome"], report["done_qty"]) == (200, "confirmed", "10"), report
        _, rows = await api.ask("GET", "/api/positions")
        assert [row for row in rows if row["venue_qty"] not in {None, "0"}] == []
    row = await setting.row("select who, surface, outcome from reconciler.operations")
    assert (row["who"], row["surface"]) == ("night-shift", "http")


async def test_names_with_slashes_spaces_and_percents_survive(api: Api) -> None:
    status, answer = await api.ask("GET", f"/api/orders/{quote(SLASHED, safe='')}")
    assert (status, answer["order"]["id"]) == (200, SLASHED)
    assert (await api.ask("GET", f"/api/orders/{quote(SLASHED)}"))[0] == 404  # as two segments
    status, answer = await api.ask("GET", "/api/orders/%ff%fe")
    assert status == 404


WRONG: list[tuple[str, str, Any, int]] = [
    ("GET", "/api/incidents/99", None, 404),
    ("GET", "/api/incidents/0", None, 422),
    ("GET", "/api/incidents/one", None, 422),
    ("GET", "/api/incidents/99999999999999999999", None, 422),
    ("GET", "/api/incidents?status=odd", None, 422),
    ("GET", "/api/incidents?limit=0", None, 422),
    ("GET", "/api/orders/%00", None, 422),
    ("GET", "/api/orders?account=nobody", None, 404),
    ("GET", "/api/no/such", None, 404),
    ("GET", "/api", None, 404),
    ("GET", "/api/", None, 404),
    ("GET", "/api/incidents/", None, 404),
    ("GET", "/api/incidents%0a", None, 404),
    ("PUT", "/api/incidents", None, 405),
    ("POST", "/api/accounts/nobody/pause", {}, 404),
    ("POST", "/api/accounts/main/pause", {"for": "31d"}, 422),
    ("POST", "/api/accounts/main/pause", {"who": "the director"}, 422),
    ("POST", "/api/accounts/main/pause", [], 422),
    ("POST", "/api/incidents/1/resolve", {}, 422),
    ("POST", "/api/incidents/1/resolve", {"note": "  "}, 422),
    ("POST", "/api/incidents/1/resolve", {"note": 7}, 422),
    ("POST", "/api/incidents/1/resolve", {"note": "a\x00b"}, 422),
    ("POST", "/api/incidents/1/resolve", {"note": "\ud800"}, 422),
    ("POST", "/api/incidents/1/resolve", {"note": "x" * 4001}, 422),
    ("POST", "/api/quarantine/o1/resolve", {"status": "gone", "note": "x"}, 422),
    ("POST", "/api/reconcile", {"account": "nobody"}, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "code"), WRONG)
async def test_what_makes_no_sense_is_said_so(
    api: Api, method: str, path: str, body: Any, code: int
) -> None:
    before = await api.dump()
    more = {} if body is None else {"json": body}
    status, answer = await api.ask(method, path, **more)
    assert status == code, answer
    assert set(answer) == {"detail", "reasons"}
    assert await api.dump() == before


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 30_000, b'{"note": NaN}', b"null x"])
async def test_a_body_that_is_no_json(api: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    status, answer = await api.ask("POST", "/api/reconcile", data=body, headers=headers)
    assert status in {400, 422}, answer
    assert set(answer) == {"detail", "reasons"}


async def test_what_is_missing_is_listed(api: Api) -> None:
    await api.setting.connection.execute("update reconciler.containments set parity_streak = 0")
    await api.setting.connection.execute(
        "update reconciler.incidents set status = 'open' where id = 4"
    )
    status, answer = await api.ask("POST", "/api/profiles/p1/reenable")
    assert status == 409
    assert len(answer["reasons"]) == 2
    refused = await api.setting.row("select who, outcome, said from reconciler.operations")
    assert (refused["who"], refused["outcome"]) == ("night-shift", "refused")
    assert await api.setting.status() == "inactive"


async def test_a_database_that_is_away_is_503(api: Api, postgres_url: str) -> None:
    name = await api.setting.connection.fetchval("select current_database()")
    server = await asyncpg.connect(postgres_url, timeout=30)
    try:
        await server.execute(f'alter database "{name}" allow_connections false')
        await server.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name
        )
        for path in ("/api/incidents", "/api/orders"):
            status, answer, raw = await api.ask_in_full("GET", path)
            assert status == 503, answer
            assert raw.headers["Retry-After"]
            assert "Traceback" not in str(answer)
        assert (await api.ask("GET", "/api/status"))[0] == 200
    finally:
        await server.close()
