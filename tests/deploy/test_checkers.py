"""Compose files, image recipe, unit and workflows, each by its own checker."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.shipped import DEPLOY, ROOT, run

COMPOSE = ROOT / "docker-compose.yml"
JOIN = ROOT / "docker-compose.join.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_compose_files_fit_the_specification(check_jsonschema: Path) -> None:
    run(check_jsonschema, "--builtin-schema", "vendor.compose-spec", COMPOSE, JOIN)


def test_compose_reads_the_stack_the_demo_and_the_joined_daemon(
    compose: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = DEPLOY / "compose" / "demo.env"
    run(compose, "-f", COMPOSE, "config", "--quiet")
    run(compose, "--env-file", demo, "-f", COMPOSE, "config", "--quiet")
    services = subprocess.run(
        [compose, "--env-file", demo, "-f", COMPOSE, "config", "--services"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.split()
    assert "story" in services
    with pytest.raises(pytest.fail.Exception, match="the network of your stack"):
        run(compose, "-f", JOIN, "config", "--quiet")
    monkeypatch.setenv("NETWORK", "mybot_default")
    run(compose, "-f", JOIN, "config", "--quiet")


def test_every_file_that_compose_mounts_is_there(compose: Path) -> None:
    """Docker would make a folder of a file that is missing."""
    text = subprocess.run(
        [compose, "--env-file", DEPLOY / "compose" / "demo.env", "-f", COMPOSE, "config"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    mounted = re.findall(rf"(?:source|file): ({re.escape(str(ROOT))}\S+)", text)
    assert len(mounted) > 10
    assert [name for name in mounted if not Path(name).exists()] == []


def test_recipe_of_the_image_passes_hadolint(hadolint: Path) -> None:
    run(hadolint, "--failure-threshold", "warning", ROOT / "Dockerfile")


def test_workflows_fit_their_schema(check_jsonschema: Path) -> None:
    assert WORKFLOWS
    run(check_jsonschema, "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_workflow_pins_what_it_uses_and_may_do_little(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.search(r"^permissions:\n  contents: read$", text, flags=re.MULTILINE)
    for used in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", used), used
    assert text.count("uses: actions/checkout") == text.count("persist-credentials: false")
    assert text.count("runs-on:") == text.count("timeout-minutes:")


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_workflow_calls_what_is_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for words in re.findall(r"\bmake ([a-z -]+?)(?= [A-Z]|$)", text, flags=re.MULTILINE):
        for target in words.split():
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    for name in re.findall(r"(?:deploy|tests|docs)/[\w./-]+", text):
        assert (ROOT / name).exists(), name


def test_unit_is_well_formed_and_hardened(systemd_analyze: Path, tmp_path: Path) -> None:
    shipped = DEPLOY / "systemd" / "reconciler.service"
    run(systemd_analyze, "security", "--offline=true", "--threshold=20", shipped)
    unit = tmp_path / shipped.name
    text = shipped.read_text(encoding="utf-8")
    # It looks for the program; nothing else of the line matters to it.
    unit.write_text(text.replace("/opt/reconciler/bin/reconciler", sys.executable), "utf-8")
    run(systemd_analyze, "verify", "--man=no", unit)
