"""The mutation test itself, on a package of one file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mutation.mutants import mutants

SOURCE = '''
"""Prices."""
import functools

FREE: int = 3

@functools.cache
def price(units: int, each: int = 2) -> int:
    """Price the units after the free ones."""
    assert units >= 0
    if units <= FREE:
        return 0
    return (units - FREE) * each

def unused() -> str:
    return "nothing"
'''
TESTS = """
from prices import price

def test_units_are_charged():
    assert price(6) == 6
    assert price(2) == 0
"""
CHECK = """
import sys
from pathlib import Path
from tests.mutation.__main__ import check
from tests.mutation.mutants import mutants

sys.path.insert(0, ".")
sys.exit(check("prices", mutants(Path("prices", "__init__.py")), ["test_prices.py"]))
"""


def test_mutants_are_slips_in_functions(tmp_path):
    """None in what runs at import, in docstrings, or in what satisfies the type checker."""
    path = tmp_path / "prices.py"
    path.write_text(SOURCE)
    assert [(each.function, each.at[0], each.change) for each in mutants(path)] == [
        ("price", 11, "units <= FREE -> not units <= FREE"),
        ("price", 11, "units <= FREE -> units < FREE"),
        ("price", 12, "return 0 -> return None"),
        ("price", 12, "0 -> 1"),
        ("price", 13, "return (units - FREE) * each -> return None"),
        ("price", 13, "(units - FREE) * each -> units - FREE + each"),
        ("price", 13, "units - FREE -> units + FREE"),
        ("unused", 16, "return 'nothing' -> return None"),
        ("unused", 16, "'nothing' -> 'XXnothingXX'"),
    ]


def test_survivors_are_listed(tmp_path):
    """Those of the boundary that no test has, and of the function that no test calls."""
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "__init__.py").write_text(SOURCE)
    (tmp_path / "test_prices.py").write_text(TESTS)
    ran = subprocess.run(
        [sys.executable, "-c", CHECK],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
        timeout=60,
        check=False,
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "prices/__init__.py:11:7 units <= FREE -> units < FREE: survived",
        "prices/__init__.py:16:4 return 'nothing' -> return None: not reached",
        "prices/__init__.py:16:11 'nothing' -> 'XXnothingXX': not reached",
        "9 mutants, 6 killed",
    ]
    assert ran.returncode == 1
