"""docs/how-to/split-a-fleet.md: the commands of its workflow run, as a matrix runs them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml
from cli.fleet_world import NAMES, names
from published import held

PAGE = Path(__file__).parents[2] / "docs/how-to/split-a-fleet.md"
FLOW = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.S)[1])
APPLY, MERGE = FLOW["jobs"]["apply"], FLOW["jobs"]["merge"]


def find_command(job, name):
    """The words of the one step that runs a command."""
    (line,) = [s["run"] for s in job["steps"] if s.get("run", "").startswith(f"reconciler {name}")]
    return line


def test_the_jobs_of_the_matrix_apply_every_account_and_one_report_has_them_all(
    fleet, run, tmp_path, monkeypatch
):
    """With the files where the artifacts of the shards are downloaded to."""
    monkeypatch.chdir(tmp_path)
    for shard in APPLY["strategy"]["matrix"]["shard"]:
        line = find_command(APPLY, "apply").replace("$SHARD", str(shard))
        folder = tmp_path / "reports" / f"report-{shard}"
        folder.mkdir(parents=True)
        words = [word.replace("report.json", f"{folder}/report.json") for word in shlex.split(line)]
        assert run(*words[1:]).code == 0
    line = find_command(MERGE, "merge").replace("$GITHUB_STEP_SUMMARY", "summary.md")
    files = [str(file) for file in sorted(tmp_path.glob("reports/*/report.json"))]
    words = [w for word in shlex.split(line) for w in (files if "*" in word else [word])]
    assert run(*words[1:]).code == 0
    assert names(held(Path("fleet.json").read_text())) == list(NAMES)
    assert Path("summary.md").read_text().startswith("<!-- reconciler")


def test_a_failing_shard_stops_no_other_and_its_report_is_kept():
    assert APPLY["strategy"]["fail-fast"] is False
    assert MERGE["if"] == "always()"
    steps = [*APPLY["steps"], *MERGE["steps"]]
    (upload,) = [step for step in steps if "upload-artifact" in step.get("uses", "")]
    assert upload["if"] == "always()"
    used = [step["uses"] for step in steps if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", each) for each in used)
    assert not any("${{" in step.get("run", "") for step in steps)
