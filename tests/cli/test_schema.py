"""`schema`: the published JSON Schemas; and `--version -v`."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest
from published import SCHEMAS, held

from reconciler import __version__

NAMES = sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json"))


@pytest.mark.parametrize("words", [[], ["--format", "json"]])
def test_every_schema_is_printed_as_it_is(words, run):
    for name in NAMES:
        ran = run("schema", name, *words)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == (SCHEMAS / f"{name}.schema.json").read_text("utf-8")


def test_a_schema_can_be_written_to_a_file(run, tmp_path):
    file = tmp_path / "meters.schema.json"
    assert run("schema", "meters", "--out", f"json={file}", "--quiet").code == 0
    assert json.loads(file.read_text()) == json.loads((SCHEMAS / file.name).read_text())


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ([], "the name of the schema is missing", "the schemas are "),
        (["meter"], "there is no schema 'meter'", "did you mean meters? "),
        (["zzz"], "there is no schema 'zzz'", "the schemas are "),
    ],
)
def test_other_names_are_errors_that_list_them(words, message, hint, run):
    ran = run("schema", *words, "--format", "json")
    (diagnostic,) = held(ran.out)["diagnostics"]
    assert (ran.code, diagnostic["code"], diagnostic["message"]) == (64, "U010", message)
    assert diagnostic["hint"].startswith(hint)
    assert all(name in diagnostic["hint"] for name in NAMES)


def test_schemas_are_found_in_a_wheel(tmp_path):
    """Where they are inside the package, and nothing is beside it."""
    script = (
        "import sys, pathlib, reconciler.config.schema as s; "
        "s._FOLDERS = (pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[1]) / 'missing'); "
        "from reconciler.__main__ import main; sys.exit(main(['schema', 'one']))"
    )
    (tmp_path / "one.schema.json").write_text("{}\n")
    command = [sys.executable, "-c", script, str(tmp_path)]
    assert subprocess.check_output(command, text=True, timeout=30) == "{}\n"


@pytest.mark.parametrize("words", [["--version", "-v"], ["-v", "--version"], ["-V", "-v"]])
def test_a_verbose_version_names_python_and_the_platform(words, run):
    first, second = run(*words).out.splitlines()
    assert first == f"reconciler {__version__}"
    assert second.startswith(f"Python {platform.python_version()} on {platform.system()}")
