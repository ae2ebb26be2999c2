"""The API against its own description: schemathesis plays whatever the description allows, and
what it does not.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.setting import Api
from tests.integration.api.tokens import OPERATOR_TOKEN

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = "10"
"""For each operation: about 1 400 requests in all, 25 s."""


@pytest.mark.timeout(180)
async def test_schemathesis_finds_nothing(api: Api, tmp_path: Path) -> None:
    _, description = await api.ask("GET", "/api/openapi.json")
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(description))
    process = await asyncio.create_subprocess_exec(
        str(SCHEMATHESIS),
        *("run", str(file), "--url", api.url),
        *("--header", f"Authorization: Bearer {OPERATOR_TOKEN}"),
        *("--checks", "all", "--phases", "examples,coverage,fuzzing"),
        *("--max-examples", EXAMPLES, "--seed", "1", "--generation-deterministic"),
        *("--continue-on-failure", "--workers", "2", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(170):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()[-20_000:]


async def test_every_operation_is_described_in_full(api: Api) -> None:
    _, description = await api.ask("GET", "/api/openapi.json")
    assert description["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    tags = {tag["name"] for tag in description["tags"]}
    for path, operation in _operations(description):
        assert operation["security"] == [{"bearer": []}], path
        assert set(operation["tags"]) <= tags, path
        assert operation["description"], path
        refusals = {code for code in operation["responses"] if code[0] in "45"}
        assert {"401", "403", "422", "429", "503"} <= refusals
        for code in refusals:
            schema = operation["responses"][code]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Refusal"}, (path, code)


def _operations(description: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
