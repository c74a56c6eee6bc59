"""`python -m benchmarks`: cheap rows, once; what they take is not judged here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def benchmarks(*words: object, module: str = "benchmarks") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_row_is_printed_beside_its_floor_and_its_target(tmp_path):
    file = tmp_path / "results.json"
    ran = benchmarks("start/version", "plan/10/0ms", "--runs", 1, "--out", f"json={file}")
    assert ran.returncode == 0, ran.stderr
    table = [re.split(r" {2,}", line) for line in ran.stdout.split("\n\n")[1].splitlines()]
    assert [line[0] for line in table] == ["what", "`--version`", "`plan`, 10 unchanged meters"]
    assert table[0][-5:] == ["target", "met", "CPU s", "peak MB", "requests"]
    assert table[1][2].startswith("`python -m empty`: ")
    assert table[1][4:6] in (["≤ 1.3 x floor", "yes"], ["≤ 1.3 x floor", "no"])

    document = json.loads(file.read_text("utf-8"))
    assert document["machine"].keys() >= {"system", "cores", "python", "dependencies", "commit"}
    version, plan = document["rows"]
    assert (version["name"], version["target"]) == ("start/version", {"most": 1.3, "unit": "x"})
    assert version["met"] == (version["ratio"] <= 1.3)
    for row in (version, plan):
        assert row["ratio"] == row["ours"]["median"] / row["floor"]["median"] > 0
    assert (plan["target"], plan["met"], plan["floor_title"]) == (None, None, "bare listing")
    assert plan["cpu"] > 0
    assert plan["memory"] > 1e6
    assert 1 <= plan["requests"] <= 5


def test_every_row_has_a_name_of_its_own():
    names = benchmarks("--list").stdout.splitlines()
    assert len(names) == len(set(names)) > 40


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["paln/*"], "no row matches paln/*"),
        (["--out", "json=missing/results.json"], "missing/results.json: No such file or directory"),
        (["--out", "results.json"], "results.json is not text=FILE or json=FILE"),
        (["--runs", "0"], "0 is not a number above 0"),
    ],
)
def test_wrong_usage_ends_before_anything_is_measured(words, message):
    ran = benchmarks(*words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert message in ran.stderr


@pytest.fixture
def fleets(monkeypatch):
    """The module of the broken fleets, and folders for them."""
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks import broken_fleets, scenarios

    with ExitStack() as stack:
        yield broken_fleets, scenarios.Workshop(stack)


def test_a_fleet_with_broken_accounts_is_checked(fleets):
    """Beside its own requests, with which it ends as well; what is not as expected is named."""
    module, workshop = fleets
    never_retried = "500:should_retry=false"
    fleet = module.build_fleet(workshop, 20, 0, module.ON_THREADS, never_retried)
    ours = fleet.apply()
    assert fleet.send_the_same(ours).requests == ours.requests > 17 * 4
    assert len(fleet.check()["accounts"]) == 20

    broken, denied = dict(fleet.broken), "acct_5"
    fleet.broken = broken | {denied: module.BLOCKED}
    with pytest.raises(module.BenchmarkError) as raised:
        fleet.check()
    assert (
        str(raised.value) == f"{denied} ended with exit code 6 with S004, not exit code 3 with P001"
    )
    del broken[denied]
    fleet.broken = broken
    with pytest.raises(module.BenchmarkError, match=r"17 of 20 accounts converged; .*: acct_5$"):
        fleet.check()


@pytest.mark.full
@pytest.mark.long
@pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not installed")
def test_a_worker_is_killed_amid_a_fleet_on_dask(fleets):
    """Its accounts are run again; a run that ends before is an error."""
    module, workshop = fleets
    with module.clustering(2) as cluster:
        words = module.on_dask(cluster, side_by_side=4)
        fleet = module.build_fleet(workshop, 20, 20, words, "500:should_retry=false")
        fleet.disturb = lambda: module.killing_a_worker(fleet, cluster, 30)
        assert fleet.apply().requests > 17 * 4
        fleet.disturb = lambda: module.killing_a_worker(fleet, cluster, 10_000)
        with pytest.raises(module.BenchmarkError, match="ended before a worker was killed"):
            fleet.apply()


RESULTS = {
    "version": 1,
    "machine": {
        "system": "Linux",
        "processor": "AMD",
        "cores": 2,
        "load": [0.5, 1, 2],
        "python": "CPython 3.11.7",
        "dependencies": {"requests": "2.34.2"},
        "commit": None,
    },
    "runs": 2,
    "rows": [
        {
            "name": "plan/10/50ms",
            "title": "`plan`",
            "unit": "s",
            "size": 10,
            "latency_ms": 50,
            "ours": {"values": [0.3, 0.2]},
            "floor": {"values": [0.1, 0.1]},
            "floor_title": "bare listing",
            "ratio": 2.5,
            "target": {"most": 1.6, "unit": "x"},
            "cpu": 0.1,
            "memory": 30_000_000,
            "requests": 4,
            "rejected": 0,
            "skipped": None,
            "error": None,
        }
    ],
}
ROW = (
    "| `plan` | 50 | 250 ms (200 to 300 ms) | bare listing: 100 ms | 2.50 | ≤ 1.6 x floor | no "
    "| 0.10 | 30 | 4 |"
)


def test_results_are_written_between_the_markers_of_the_page(tmp_path):
    """Twice in two tables, in place of what was there; the rest of the page stays."""
    results, page = tmp_path / "results.json", tmp_path / "performance.md"
    results.write_text(json.dumps(RESULTS), "utf-8")
    before = (ROOT / "docs" / "performance.md").read_text("utf-8")
    page.write_text(before, "utf-8")
    words = (results, "--page", page, "--without-plot")
    for _ in range(2):
        ran = benchmarks(*words, module="benchmarks.page")
        assert (ran.returncode, ran.stderr) == (0, "")
    after = page.read_text("utf-8")
    assert after.count(ROW) == 2
    assert "- CPython 3.11.7; requests 2.34.2\n" in after
    generated = re.compile(r"(<!-- begin: .*?-->\n).*?(<!-- end -->\n)", re.DOTALL)
    assert generated.sub(r"\1\2", after) == generated.sub(r"\1\2", before)
