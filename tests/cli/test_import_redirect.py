"""Standard output of `import` as a shell redirects it: into a file of the project itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from cli.world import existing

NAMES = ["a → b", "é😀", "calls"]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_file_of_standard_output_may_be_a_meter_file(encoding, world, run):
    """The shell has created it empty, which is an error for any other command."""
    made = world("", {"meters": [existing(name, name) for name in NAMES]})
    file = made.folder / "meters.yaml"
    environ = {**os.environ, "PYTHONIOENCODING": encoding}
    with file.open("w") as stream:
        command = [sys.executable, "-m", "reconciler", "import", str(made.folder)]
        done = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, env=environ)
    assert (done.returncode, done.stderr) == (0, b"")
    assert run("plan", made.folder, "--detailed-exitcode").code == 0
