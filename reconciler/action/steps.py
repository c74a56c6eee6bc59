"""The steps of the Action, each as a function of its job."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .. import json_text
from ..cli.accounts import select_entries
from ..cli.arguments import AccountOptions
from ..cli.console import Console
from ..cli.main import run
from ..clock import Clock
from ..config import load
from ..diagnostics.codes import guards, usage
from ..diagnostics.errors import Exit, ReconcilerError, UsageError
from ..model.project import Account
from ..publish.github import GitHub
from ..publish.host import get_text
from ..publish.target import find_github
from ..render import render
from ..render.github import escape
from ..render.markdown.gfm import format_prose
from ..report.report import Report
from . import results
from .approval import Approval, describe_plan, find_approval, name_status
from .job import Job

_NOTHING = "nothing-approved"  # no plan has it as its hash
_NO_SECRETS = (
    "This pull request comes from a fork or from Dependabot, so the job has no API key: the files "
    "were checked, but not compared with the account. Before you merge it, run the command on a "
    "branch of this repository."
)
_NOT_RECORDED = "The plan is not recorded on the commit, so that no review can approve it"
_NOT_POSTED = "No comment will be written, since the pull request is not known"
_NOT_SHOWN = "If the plan is not the approved one, the report cannot show what differs"
_PLAN_FILE = "plan.json"
_SEVERAL = "a review approves the plan of one account"
_ONE_EACH = "give each account a step or job of its own, with the input `account`"
_NO_ACCOUNT_ID = (
    f"{guards.NO_ACCOUNT_ID.code}: no review can approve this plan: set `account_id` of the "
    "account in the project file"
)
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
        if job.command != "apply":
            return Exit.DONE
        commit = job.environ.get("GITHUB_SHA", "")
        if job.decides_itself:
            self._locate_plan(job.expected_hash, job.environ.get("GITHUB_RUN_ID", ""))
            if job.comments:
                self._output(("pull-request", self._find_pull(commit)))
            return Exit.DONE
        context = name_status(job.path, job.accounts)
        try:
            with self._open_repository() as host:
                approval = find_approval(host, commit, context)
        except ReconcilerError as error:
            approval = Approval(reason=error.diagnostics[0].message)
        self._output(
            ("approved-hash", approval.plan_hash),
            ("pull-request", str(approval.pull_request or "")),
            ("not-approved", approval.reason),
        )
        if approval.plan_hash:
            self._locate_plan(approval.plan_hash, self._find_plan_run(approval.plan_hash))
        return Exit.DONE

    def _find_pull(self, commit: str) -> str:
        """Return the pull request to comment on; say why if it is not known."""
        try:
            with self._open_repository() as host:
                return str(host.find_merged_pull(commit) or "")
        except ReconcilerError as error:
            self._note("warning", f"{_NOT_POSTED}: {error.diagnostics[0].message}")
            return ""

    def _find_plan_run(self, plan_hash: str) -> str:
        """Return the workflow run that saved a plan; say why if what differs cannot be shown."""
        try:
            with self._open_repository() as host:
                run_id = host.find_artifact_run(results.name_plan_artifact(plan_hash))
            why = "its artifact does not exist any more"
        except ReconcilerError as error:
            run_id, why = 0, f"{error.diagnostics[0].message} (needs `actions: read`)"
        if run_id:
            return str(run_id)
        self._note("notice", f"{_NOT_SHOWN}: {why}")
        return ""

    def _locate_plan(self, plan_hash: str, run_id: str) -> None:
        """Output where the approved plan is, and where to put it."""
        if plan_hash and run_id:
            self._output(
                ("plan-artifact", results.name_plan_artifact(plan_hash)),
                ("plan-run", run_id),
                ("plan-folder", self._make_folder()),
            )

    def run(self) -> Exit:
        """Run the command, and output what its report says."""
        job, folder = self.job, Path(self._make_folder())
        report, plan = folder / "report.json", Path(self._make_folder(), _PLAN_FILE)
        accounts = self._select_accounts()
        if job.command == "apply" and not job.decides_itself and len(accounts) > 1:
            raise UsageError(usage.BAD_OPTIONS(_SEVERAL, hint=_ONE_EACH))
        exit_code = self._run_command(accounts, report, plan)
        name = results.name_artifact(
            "reconciler", job.environ.get("GITHUB_JOB", ""), job.command, *job.accounts
        )
        found = results.read_report(report)
        outputs = dict(results.list_outputs(found, exit_code))
        self._output(
            *outputs.items(),
            ("report", str(report) if found else ""),
            ("folder", str(folder)),
            ("artifact", name),
            ("plan-file", str(plan) if plan.exists() and outputs["plan-hash"] else ""),
            ("plan-artifact", results.name_plan_artifact(outputs["plan-hash"])),
        )
        self._keep_journal(folder)
        if job.event.get("pull_request"):
            if results.is_of_no_account(found):
                self._note("warning", _NO_ACCOUNT_ID)
            if job.command == "plan" and len(found.get("accounts", ())) > 1:
                self._note("warning", f"{_SEVERAL}: {_ONE_EACH}")
        return exit_code

    def record(self) -> Exit:
        """Record the plan of a pull request as a status of its head commit."""
        job, environ = self.job, self.job.environ
        pull = job.event.get("pull_request")
        if job.command != "plan" or not pull or job.has_no_secrets:
            return Exit.DONE
        plan_hash = environ.get("PLAN_HASH", "")
        failed = environ.get("FAILURE_REASON") or _SEVERAL
        approvable = bool(plan_hash) and environ.get("EXIT_CODE") in ("0", "2")
        status = {
            "state": "success" if approvable else "failure",
            "context": name_status(job.path, job.accounts),
            "description": describe_plan(plan_hash) if approvable else f"no plan: {failed}"[:140],
        }
        try:
            with self._open_repository() as host:
                host.set_status(get_text(pull, "head", "sha"), status)
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
        if on_pull:
            words += ["--when-unchanged", environ.get("WHEN_UNCHANGED", "").strip() or "comment"]
        return run(["publish", *words])

    def _run_command(self, accounts: tuple[Account, ...], report: Path, plan: Path) -> Exit:
        job = self.job
        if job.command != "validate" and job.has_no_secrets and self._lacks_key(accounts):
            self._note("notice", _NO_SECRETS)
            return self._call("validate", job.selection, report)
        words = [*job.selection, *job.arguments]
        if job.command != "apply":
            saved = ["--save", str(plan)] if job.command == "plan" and len(accounts) == 1 else []
            return self._call(job.command, [*words, *saved], report)
        words += ["--yes"] if "--yes" not in words else []
        if job.decides_itself:
            compared = self._compare() if job.expected_hash else []
            return self._call("apply", [*words, *compared], report)
        approved = job.environ.get("APPROVED_HASH") or _NOTHING
        code = self._call("apply", [*words, "--expect", approved, *self._compare()], report)
        if approved == _NOTHING and code is Exit.REFUSED:
            self._explain_refusal(report)
        return code

    def _compare(self) -> list[str]:
        """Return the option with the approved plan, if it was found; it is only shown."""
        folder = self.job.environ.get("APPROVED_PLAN")
        file = Path(folder or "", _PLAN_FILE)
        return ["--approved", str(file)] if folder and file.is_file() else []

    def _explain_refusal(self, report: Path) -> None:
        """Say why no plan is approved, in place of that its hash is another one."""
        said = guards.NOT_APPROVED(self.job.environ.get("NOT_APPROVED", ""))
        found = results.read_report(report)
        explained = results.replace_diagnostic(found, guards.UNEXPECTED_PLAN.code, said)
        if found and explained != found:
            report.write_text(json_text.dump(explained), "utf-8")
            self._note("error", f"{said.code}: {said.message}")

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

    def _select_accounts(self) -> tuple[Account, ...]:
        """Return the accounts of the run; none where the files have errors, which it reports."""
        job = self.job
        try:
            chosen = AccountOptions(account=job.accounts).read_environment(job.environ)
            return select_entries(load(job.path), chosen.account)
        except ReconcilerError:
            return ()

    def _lacks_key(self, accounts: Iterable[Account]) -> bool:
        """Whether an account of the run has no key."""
        needed = [account.api_key_env or "" for account in accounts if not account.emulator]
        return not all(map(self.job.environ.get, needed))

    def _make_folder(self) -> str:
        return tempfile.mkdtemp(prefix="reconciler-", dir=self.job.environ.get("RUNNER_TEMP"))

    @contextmanager
    def _open_repository(self) -> Iterator[GitHub]:
        target = find_github(self.job.environ, None, None, None)
        host = GitHub(target.base, target.token, self._clock, target.repository)
        try:
            yield host
        finally:
            host.host.close()

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
