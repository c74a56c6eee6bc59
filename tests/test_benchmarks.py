"""`python -m benchmarks`: two cheap rows, once; what they take is not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def benchmarks(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_row_is_printed_beside_its_floor_and_its_target(tmp_path):
    file = tmp_path / "results.json"
    ran = benchmarks("start/version", "plan/10/0ms", "--runs", 1, "--out", f"json={file}")
    assert ran.returncode == 0, ran.stderr
    table = ran.stdout.split("\n\n")[1].splitlines()
    assert table[0].split()[:1] + table[0].split()[-3:] == ["what", "ratio", "target", "met"]
    assert [line.split("  ")[0] for line in table[1:]] == [
        "`--version`",
        "`plan`, 10 unchanged meters",
    ]
    assert "`python -m empty`" in table[1]
    assert "≤ 1.3 x floor" in table[1]

    document = json.loads(file.read_text("utf-8"))
    assert document["machine"].keys() >= {"system", "cores", "python", "dependencies", "commit"}
    version, plan = document["rows"]
    assert (version["name"], version["target"]) == ("start/version", {"most": 1.3, "unit": "x"})
    assert version["met"] == (version["ratio"] <= 1.3)
    for row in (version, plan):
        assert row["ratio"] == row["ours"]["median"] / row["floor"]["median"] > 0
    assert (plan["target"], plan["met"], plan["floor_title"]) == (None, None, "bare listing")
    assert 1 <= plan["requests"] <= 4


def test_a_glob_that_matches_no_row_is_an_error_of_usage():
    ran = benchmarks("paln/*")
    assert (ran.returncode, ran.stdout) == (64, "")
    assert "no row matches paln/*" in ran.stderr
