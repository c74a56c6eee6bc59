"""The release: what `.ci/release.py` finds in the files before they are uploaded."""

from __future__ import annotations

import importlib.util
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
assert SPEC
assert SPEC.loader
release = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(release)

VERSION = "1.2.3"
STEM = f"meter_reconciler-{VERSION}"
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))


def pack(folder: Path, wheel: tuple[str, ...], sdist: tuple[str, ...]) -> Path:
    """A folder with a wheel and an sdist that hold these files."""
    with zipfile.ZipFile(folder / f"{STEM}-py3-none-any.whl", "w") as archive:
        for name in wheel:
            archive.writestr(name, "")
    with tarfile.open(folder / f"{STEM}.tar.gz", "w:gz") as archive:
        for name in sdist:
            archive.addfile(tarfile.TarInfo(f"{STEM}/{name}"))
    return folder


def test_whole_files_have_no_fault(tmp_path):
    dist = pack(tmp_path, release.IN_WHEEL, release.IN_SDIST)
    assert list(release.find_faults(dist, VERSION, f"v{VERSION}")) == []
    assert list(release.find_faults(dist, VERSION, "")) == []


@pytest.mark.parametrize(
    ("wheel", "sdist", "tag", "said"),
    [
        (release.IN_WHEEL, release.IN_SDIST, "v1.2.4", "the tag v1.2.4 is not that of version"),
        (release.IN_WHEEL[1:], release.IN_SDIST, "", f"lacks {release.IN_WHEEL[0]}"),
        (release.IN_WHEEL, release.IN_SDIST[1:], "", f"lacks {release.IN_SDIST[0]}"),
        ((*release.IN_WHEEL, "tests/x.py"), release.IN_SDIST, "", "holds tests/x.py"),
    ],
)
def test_a_fault_is_named(wheel, sdist, tag, said, tmp_path):
    (fault,) = release.find_faults(pack(tmp_path, wheel, sdist), VERSION, tag)
    assert said in fault


def test_files_of_another_version_are_a_fault(tmp_path):
    dist = pack(tmp_path, release.IN_WHEEL, release.IN_SDIST)
    (fault,) = release.find_faults(dist, "9.9.9", "")
    assert f"{STEM}.tar.gz" in fault


def test_what_is_uploaded_is_what_was_built_and_run():
    """By a job that runs no code of the repository, since it may sign and publish."""
    build, publish = WORKFLOW["jobs"]["build"], WORKFLOW["jobs"]["publish"]
    assert build["permissions"] == {"contents": "read"}
    assert [step["run"] for step in build["steps"] if "run" in step][-1] == "nox -s wheel -- dist"
    assert not any("run" in step for step in publish["steps"])
    assert publish["permissions"] == {"id-token": "write", "attestations": "write"}
    assert (publish["needs"], publish["environment"]) == ("build", "pypi")
    assert "secrets." not in yaml.safe_dump(WORKFLOW)
