#!/usr/bin/env python3
"""Write the API's routes into docs/http.md: `python docs/generate_http_reference.py`.

They come from the API's own description; what stands above them there is written by hand.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from reconciler.http.api import EVERYWHERE, build_api
from reconciler.incidents.desk import Desk
from reconciler.telemetry.health import HealthBoard

PAGE = Path(__file__).with_name("http.md")
BEGIN = "## Routes of the API\n"
SUCCESS = "2"


def page() -> str:
    """Return the whole page, the part by hand as it is."""
    described = description()
    by_hand, _, _ = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    parts = [
        by_hand.rstrip(),
        "",
        *_overview(described),
        *_operations(described),
        *_models(described),
        "",
    ]
    return "\n".join(parts)


def description() -> dict[str, Any]:
    """Return what `/api/openapi.json` answers; no route of it is ever run."""
    desk = Desk(
        pool=cast("Any", None),
        books={},
        venues={},
        accounts={},
        mode="enforce",
        stale_after=timedelta(minutes=15),
        parity_needed=3,
        redact=str,
    )
    return build_api(desk=desk, health=HealthBoard(mode="enforce", version="")).openapi()


def _overview(described: Mapping[str, Any]) -> Iterator[str]:
    yield BEGIN
    yield "| route | does |\n|---|---|"
    for route, operation in _each(described):
        yield f"| [`{route}`](#{operation['operationId']}) | {_line(operation['description'])} |"
    yield ""
    yield "Beside what each says, every route may answer:\n"
    yield "| status | means |\n|---|---|"
    yield from (f"| {code} | {text} |" for code, text in EVERYWHERE.items())


def _operations(described: Mapping[str, Any]) -> Iterator[str]:
    for tag in described["tags"]:
        yield f"\n## {tag['name'].capitalize()}\n"
        yield tag["description"]
        for route, operation in _each(described):
            if operation["tags"] == [tag["name"]]:
                yield from _operation(route, operation)


def _each(described: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _operation(route: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n### {operation['operationId']}\n"
    yield f"`{route}`\n"
    yield f"{operation['description']}\n"
    parameters = operation.get("parameters", ())
    if parameters:
        yield "| parameter | in | type | meaning |\n|---|---|---|---|"
    for one in parameters:
        said = one.get("description", "")
        if "default" in one["schema"]:
            said = f"{said} Default: `{json.dumps(one['schema']['default'])}`.".strip()
        yield f"| `{one['name']}` | {one['in']} | {_type(one['schema'])} | {_line(said)} |"
    if parameters:
        yield ""
    yield from _body(operation)
    for code, answer in operation["responses"].items():
        if code.startswith(SUCCESS):
            schema = answer["content"]["application/json"]["schema"]
            yield f"{code}: {_type(schema)}."
        elif int(code) not in EVERYWHERE:
            yield f"{code}: {answer['description']}"


def _body(operation: Mapping[str, Any]) -> Iterator[str]:
    if "requestBody" not in operation:
        return
    body = operation["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    needed = "" if body.get("required") else "may be left out; "
    yield f"Body ({needed}JSON): {_type(schema)}.\n"


def _models(described: Mapping[str, Any]) -> Iterator[str]:
    yield "\n## Models"
    for name, schema in described["components"]["schemas"].items():
        if "properties" not in schema:
            continue
        yield f"\n### {name}\n"
        if "description" in schema:
            yield schema["description"] + "\n"
        fields, needed = schema["properties"], schema.get("required", ())
        told = any("description" in kind for kind in fields.values())
        yield "| field | type | meaning |\n|---|---|---|" if told else "| field | type |\n|---|---|"
        for field, kind in fields.items():
            shown = _type(kind) + ("" if field in needed else ", may be left out")
            meaning = f" {_line(kind.get('description', ''))} |" if told else ""
            yield f"| `{field}` | {shown} |{meaning}"


def _type(schema: Mapping[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"`{name}`" if name in ENUMS else f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    words = {"integer": "whole number", "boolean": "true or false", "null": "null"}
    if schema.get("format") == "date-time":
        return "time"
    return words.get(str(schema.get("type")), str(schema.get("type", "anything")))


ENUMS = frozenset({"Severity", "IncidentKind"})
"""Shown by their name: the runbooks list them."""


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
