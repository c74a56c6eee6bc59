"""Check the files of a release: `python .ci/release.py DIST`, with the tag in RELEASE_TAG.

One wheel and one sdist of this version, the tag of it, and in them what the tool needs.
"""

from __future__ import annotations

import os
import runpy
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
IN_WHEEL = (
    "reconciler/__main__.py",
    "reconciler/py.typed",
    "reconciler/schemas/meters.schema.json",
)
IN_SDIST = ("action.yml", "pyproject.toml", "README.md", "LICENSE", "tests/conftest.py")


def read_version(root: Path = ROOT) -> str:
    """Return the version of the package in a folder."""
    return str(runpy.run_path(str(root / "reconciler" / "_version.py"))["__version__"])


def find_faults(dist: Path, version: str, tag: str) -> Iterator[str]:
    """Yield what is wrong with the files of a release; a tag is only there in a release."""
    if tag and tag != f"v{version}":
        yield f"the tag {tag} is not that of version {version}: v{version}"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["name"]
    stem = f"{project.replace('-', '_')}-{version}"
    wheel, sdist = dist / f"{stem}-py3-none-any.whl", dist / f"{stem}.tar.gz"
    found = sorted(file.name for file in dist.iterdir())
    if found != sorted((wheel.name, sdist.name)):
        yield f"{dist} holds {', '.join(found)}, not {wheel.name} and {sdist.name}"
        return
    packed = set(zipfile.ZipFile(wheel).namelist())
    yield from (f"{wheel.name} lacks {name}" for name in IN_WHEEL if name not in packed)
    yield from (f"{wheel.name} holds {name}" for name in sorted(packed) if "tests/" in name)
    with tarfile.open(sdist) as archive:
        packed = set(archive.getnames())
    yield from (f"{sdist.name} lacks {name}" for name in IN_SDIST if f"{stem}/{name}" not in packed)


if __name__ == "__main__":
    faults = list(find_faults(Path(sys.argv[1]), read_version(), os.environ.get("RELEASE_TAG", "")))
    sys.exit("\n".join(faults) or None)
