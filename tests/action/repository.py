"""A repository at GitHub: real commits in a folder, and the pull requests of the fake host."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from action.conftest import REPOSITORY
from action.runner import Runner
from publish.fake_host import FakeHost

_AUTHOR = ("-c", "user.name=maya", "-c", "user.email=maya@example.com")


@dataclass
class Repository:
    """The branch `main` and the branches of pull requests; jobs run in its folder."""

    folder: Path
    host: FakeHost
    build: Callable[..., Runner]
    hour: int = 10
    jobs: list[Runner] = field(default_factory=list)

    def git(self, *words: str) -> str:
        ran = subprocess.run(
            ["git", *_AUTHOR, "-c", "init.defaultBranch=main", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return ran.stdout.strip()

    def commit(self, message: str = "Change") -> str:
        """Commit every file on the current branch; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def open_pull(self, number: int, write: Callable[[], object], origin: str = REPOSITORY) -> None:
        """Push a branch with what `write` writes, and open a pull request for it."""
        self.git("checkout", "--quiet", "-b", f"pull-{number}", "main")
        write()
        base, head = ({"repo": {"full_name": name}} for name in (REPOSITORY, origin))
        pull = {"number": number, "base": base, "head": {**head, "sha": self.commit()}}
        self.host.pulls.append({**pull, "merged_at": None, "merge_commit_sha": None, "commits": []})

    def push(self, number: int, write: Callable[[], object]) -> None:
        """Push another commit to a pull request."""
        self.git("checkout", "--quiet", f"pull-{number}")
        write()
        self.find(number)["head"]["sha"] = self.commit()

    def find(self, number: int) -> dict[str, Any]:
        return next(each for each in self.host.pulls if each["number"] == number)

    def approve(self, number: int, login: str = "omar") -> None:
        """Approve the head commit, one hour after what happened before."""
        self.host.permissions[login] = "write"
        self.host.reviews.append(
            {
                "user": {"login": login, "type": "User"},
                "state": "APPROVED",
                "commit_id": self.find(number)["head"]["sha"],
                "submitted_at": self._tick(),
            }
        )

    def merge(self, number: int, *, squash: bool) -> None:
        """Merge a pull request into `main`: as one commit that is not its head, or as a merge."""
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--squash" if squash else "--no-ff", f"pull-{number}")
        sha = self.commit(f"Squash {number}") if squash else self.git("rev-parse", "HEAD")
        pull = self.find(number)
        assert sha != pull["head"]["sha"]
        pull |= {"merged_at": self._tick(), "merge_commit_sha": sha, "commits": [sha]}

    def run_on_pull(self, number: int, *, key: bool = True, **given: str) -> Any:
        """Run the Action in a job of a pull request, on its merge with `main`, as GitHub does."""
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", f"pull-{number}")
        without = {} if key else {"SANDBOX_KEY": ""}
        return self._run("pull_request", {"pull_request": self.find(number)}, given, without)

    def run_on_main(self, event: str = "push", run: str = "", **given: str) -> Any:
        """Run the Action in a job of the branch `main`, in the workflow run `run`."""
        self.git("checkout", "--quiet", "main")
        environ = {"GITHUB_RUN_ID": run} if run else {}
        return self._run(event, {"ref": "refs/heads/main"}, given, environ)

    def _run(self, event: str, payload: object, given: dict[str, str], environ: Any) -> Any:
        self.host.time = self._tick()
        sha = self.git("rev-parse", "HEAD")
        job = self.build(self.folder, event, payload, GITHUB_SHA=sha, **environ)
        self.jobs.append(job)
        return job.use(path="billing", **{"comment": "true", **given})

    def _tick(self) -> str:
        self.hour += 1
        return f"2026-05-01T{self.hour}:00:00Z"
