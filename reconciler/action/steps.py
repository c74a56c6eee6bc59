"""The steps of the Action, each as a function of its job."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..cli.accounts import select_entries
from ..cli.arguments import AccountOptions
from ..cli.console import Console
from ..cli.main import run
from ..clock import Clock
from ..config import load
from ..diagnostics.codes import guards
from ..diagnostics.errors import Exit, ReconcilerError
from ..render import render
from ..render.github import escape
from ..render.markdown.gfm import format_prose
from ..report.report import Report
from . import results
from .approval import Approval, describe_plan, find_approval, name_status
from .github_api import Repository
from .job import Job

_OF_APPLY = ("--skip-refused", "--no-journal")
_NOTHING = "nothing-approved"  # no plan has it as its hash
_NO_SECRETS = (
    "This pull request comes from a fork or from Dependabot, so the job has no API key: the files "
    "were checked, but not compared with the account. Before you merge it, run the command on a "
    "branch of this repository."
)
_NOT_RECORDED = "The plan is not recorded on the commit, so that no review can approve it"
_NO_COMMENT = "No comment was written: the token of this job can only read."


class Step:
    """One step of the Action: the job, the console, and the files that the runner reads."""

    def __init__(self, job: Job, console: Console, clock: Clock) -> None:
        self.job = job
        self._console = console
        self._clock = clock

    def approve(self) -> Exit:
        """Find the approved plan of the merged commit; output its hash, or why there is none."""
        job = self.job
        if job.command != "apply" or job.decides_itself:
            return Exit.DONE
        context = name_status(job.path, job.accounts)
        commit = job.environ.get("GITHUB_SHA", "")
        try:
            approval = find_approval(self._open_repository().get, commit, context)
        except ReconcilerError as error:
            approval = Approval(reason=error.diagnostics[0].message)
        self._output(
            ("approved-hash", approval.plan_hash),
            ("pull-request", str(approval.pull_request or "")),
            ("not-approved", approval.reason),
        )
        return Exit.DONE

    def run(self) -> Exit:
        """Run the command, and output what its report says."""
        job = self.job
        folder = Path(tempfile.mkdtemp(prefix="reconciler-", dir=job.environ.get("RUNNER_TEMP")))
        report = folder / "report.json"
        exit_code = self._run_command(report)
        name = results.name_artifact(
            "reconciler", job.environ.get("GITHUB_JOB", ""), job.command, *job.accounts
        )
        found = results.read_report(report)
        self._output(
            *results.list_outputs(found, exit_code),
            ("report", str(report) if found else ""),
            ("folder", str(folder)),
            ("artifact", name),
        )
        self._keep_journal(folder)
        return exit_code

    def record(self) -> Exit:
        """Record the plan of a pull request as a status of its head commit."""
        job, environ = self.job, self.job.environ
        pull = job.event.get("pull_request")
        if job.command != "plan" or not pull or job.has_no_secrets:
            return Exit.DONE
        plan_hash, failed = environ.get("PLAN_HASH", ""), environ.get("FAILURE_REASON", "")
        approvable = bool(plan_hash) and environ.get("EXIT_CODE") in ("0", "2")
        status = {
            "state": "success" if approvable else "failure",
            "context": name_status(job.path, job.accounts),
            "description": describe_plan(plan_hash) if approvable else f"no plan: {failed}"[:140],
        }
        try:
            self._open_repository().post(f"/statuses/{pull['head']['sha']}", status)
        except ReconcilerError as error:
            self._note("warning", f"{_NOT_RECORDED}: {error.diagnostics[0].message}")
        return Exit.DONE

    def publish(self) -> Exit:
        """Post the report: to the pull request, or that of drift to its issue."""
        job, environ = self.job, self.job.environ
        if job.has_no_secrets:
            self._note("notice", _NO_COMMENT)
            return Exit.DONE
        number = environ.get("PULL_REQUEST", "")
        on_pull = bool(number or job.event.get("pull_request"))
        if not on_pull and job.command != "drift":
            return Exit.DONE
        words = ["github-comment" if on_pull else "github-issue", environ.get("REPORT", "")]
        words += ["--number", number] if number else []
        words += ["--project", job.path] if job.path != "." else []
        return run(["publish", *words])

    def _run_command(self, report: Path) -> Exit:
        job = self.job
        if job.command != "validate" and job.has_no_secrets and self._lacks_key():
            self._note("notice", _NO_SECRETS)
            return self._call("validate", job.selection, report)
        words = [*job.selection, *job.arguments]
        if job.command != "apply" or job.decides_itself:
            consent = ["--yes"] if job.command == "apply" and "--yes" not in words else []
            return self._call(job.command, [*words, *consent], report)
        approved = job.environ.get("APPROVED_HASH") or self._approve_nothing(words, report)
        return self._call("apply", [*words, "--yes", "--expect", approved], report)

    def _approve_nothing(self, words: Iterable[str], report: Path) -> str:
        """Return the hash of a plan without changes, which needs no approval, else that of none."""
        planning = ["plan", *(word for word in words if word not in _OF_APPLY)]
        code = run([*planning, f"--out=json={report}", "--format=text"])
        planned = results.read_report(report)
        outputs = dict(results.list_outputs(planned, code))
        if code is Exit.DONE and not results.has_changes(planned):
            return outputs["plan-hash"] or _NOTHING
        reason = self.job.environ.get("NOT_APPROVED", "")
        self._note("error", f"{guards.NOT_APPROVED.code}: {reason}")
        return _NOTHING

    def _call(self, command: str, words: Iterable[str], report: Path) -> Exit:
        summary = self.job.environ.get("GITHUB_STEP_SUMMARY")
        outs = [f"json={report}", *([f"markdown={summary}"] if summary else [])]
        return run([command, *words, "--format=github", *(f"--out={out}" for out in outs)])

    def _keep_journal(self, folder: Path) -> None:
        """Copy the journal, which `history` reads: it goes with the runner."""
        with suppress(OSError, ReconcilerError):
            root = Path(load(self.job.path).root)
            shutil.copy(root / ".reconciler" / "journal.jsonl", folder, follow_symlinks=False)

    def fail(self, report: Report) -> None:
        """Output the exit code and the reason of a step that ended without a run."""
        document = json.loads(render(report, "json"))
        self._output(*results.list_outputs(document, report.exit_code))

    def _lacks_key(self) -> bool:
        """Whether an account of the run has no key; invalid files are reported by the run."""
        job = self.job
        try:
            chosen = AccountOptions(account=job.accounts).read_environment(job.environ)
            accounts = select_entries(load(job.path), chosen.account)
        except ReconcilerError:
            return False
        needed = [account.api_key_env or "" for account in accounts if not account.emulator]
        return not all(map(job.environ.get, needed))

    def _open_repository(self) -> Repository:
        return Repository(self.job.environ, self._clock)

    def _output(self, *outputs: tuple[str, str]) -> None:
        self._append("GITHUB_OUTPUT", results.format_outputs(iter(outputs)))

    def _note(self, level: str, message: str) -> None:
        """Say something in the log, as an annotation, and in the summary of the step."""
        text = escape(results.format_value(message))
        self._console.write_document(f"::{level} title=reconciler::{text}\n")
        self._append("GITHUB_STEP_SUMMARY", f"\n{format_prose(message, 1000)}\n")

    def _append(self, variable: str, text: str) -> None:
        if file := self.job.environ.get(variable):
            with Path(file).open("a", encoding="utf-8") as stream:
                stream.write(text)
