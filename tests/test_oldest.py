"""The constraints for the run with the oldest versions: one for every dependency."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / ".ci" / "oldest.py"


def oldest(dependencies, test=()):
    spec = importlib.util.spec_from_file_location("oldest", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    project = {"dependencies": dependencies, "optional-dependencies": {"test": test}}
    return list(module.oldest(project))


def test_every_dependency_of_the_tool_and_its_tests_has_a_constraint():
    """In the order of the file, by the names that it uses."""
    printed = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = [line.split("==")[0] for line in printed.stdout.splitlines()]
    assert names == [re.split("[^A-Za-z0-9._-]", requirement)[0] for requirement in wanted]


def test_the_lower_bound_is_the_version():
    """Whatever follows it."""
    found = oldest(["a>=1.2,<3", "b-c>=2024.11.20"], ["d>=8,!=8.1,<10"])
    assert found == ["a==1.2", "b-c==2024.11.20", "d==8"]


@pytest.mark.parametrize("requirement", ["a", "a<3", "a~=1.2", "a>=1.2; python_version<'3.12'"])
def test_a_requirement_that_cannot_be_pinned_is_an_error(requirement):
    """Without a constraint it would be tested at its newest version only."""
    with pytest.raises(ValueError, match="does not start with"):
        oldest([requirement])
