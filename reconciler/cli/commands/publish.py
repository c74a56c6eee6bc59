"""`publish`: post JSON reports to a pull request, a merge request or a drift issue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from msgspec.structs import replace

from ...diagnostics.codes import publishing as rules
from ...diagnostics.codes import usage
from ...diagnostics.errors import AuthError, ConfigError, UsageError
from ...diagnostics.suggest import suggest
from ...publish.comments import Unchanged, post_comments
from ...publish.drift_issue import post_issues
from ...publish.github import GitHub
from ...publish.gitlab import GitLab
from ...publish.message import build_messages, check_accounts
from ...publish.target import Target, find_github, find_gitlab
from ...render import Document
from ...render.markdown import Around
from ...report.published import Publication, Published
from ...report.report import Report
from ...timestamps import format_time
from ..arguments import Options, option, parse_whole_number, positional
from ..context import PLAIN, Command, Context
from ..fleet.parts import read_report_file
from ..places import find_base


class PublishOptions(Options, frozen=True, kw_only=True):
    """What to post where."""

    words: Annotated[
        tuple[str, ...],
        positional(
            "github-comment, github-issue or gitlab-note, then the files that `--out json=FILE` of "
            "validate, plan, apply or drift wrote; each account in one of them",
            "TARGET REPORT",
        ),
    ] = ()
    repository: Annotated[
        str | None,
        option(
            "OWNER/NAME at GitHub, id or path of the project at GitLab (default: that of the job)",
            metavar="NAME",
        ),
    ] = None
    number: Annotated[
        int | None,
        option(
            "the pull request or merge request (default: that of the job)",
            metavar="N",
            type=parse_whole_number,
        ),
    ] = None
    project: Annotated[
        str,
        option("tells the comments of several projects in one repository apart", metavar="NAME"),
    ] = ""
    token_env: Annotated[
        str | None,
        option(
            "the variable with the token (default: GITHUB_TOKEN, GITLAB_TOKEN)", metavar="VARIABLE"
        ),
    ] = None
    when_unchanged: Annotated[
        str,
        option(
            "where nothing changes: comment (default), update an existing comment only, or "
            "delete it; errors and warnings are always posted",
            metavar="ACTION",
            choices=[str(each) for each in Unchanged],
        ),
    ] = "comment"

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the reports."""
        return tuple((report, "report to publish") for report in self.words[1:])


def _publish(options: PublishOptions, context: Context) -> Document:
    target, *paths = options.words or ("",)
    if target not in _TARGETS:
        close = suggest(target, _TARGETS)
        hint = f"did you mean {close}?" if close else f"use one of {', '.join(_TARGETS)}"
        what = f"there is no target {target!r}" if target else "the target is missing"
        raise UsageError(usage.BAD_OPTIONS(what, hint=hint))
    if not paths:
        hint = f"`reconciler publish {target} REPORT` posts what `--out json=REPORT` wrote"
        raise UsageError(usage.BAD_OPTIONS("the file of the report is missing", hint=hint))
    reports = [(path, read_report_file(path)) for path in paths]
    check_accounts(reports)
    done = _TARGETS[target]([report for _, report in reports], options, context)
    return replace(done, target=target)


def _build_around(target: Target, context: Context) -> Around:
    base = find_base(".", context.environ.get("GITHUB_WORKSPACE", ""))
    return Around(target.blob, target.commit, target.run, base)


def _comment_on_github(
    reports: list[Report], options: PublishOptions, context: Context
) -> Published:
    target = find_github(context.environ, options.repository, options.number, options.token_env)
    host = GitHub(target.base, target.token, context.clock, target.repository)
    messages = build_messages(reports, options.project, _build_around(target, context))
    try:
        number = target.number
        if number is None and target.commit:
            number = host.find_merged_pull(target.commit)
        if number is None:
            message = "the job is not one of a pull request, and no pull request has its commit"
            raise ConfigError(rules.NO_TARGET(message))
        return post_comments(host, number, messages, Unchanged(options.when_unchanged))
    except AuthError as error:
        if not target.from_fork:
            raise
        said = rules.READ_ONLY(f"nothing was posted: {error.diagnostics[0].message}")
        none = tuple(Publication(each.account, "none") for each in messages)
        return Published(diagnostics=(said,), posted=none)
    finally:
        host.host.close()


def _note_on_gitlab(reports: list[Report], options: PublishOptions, context: Context) -> Published:
    target = find_gitlab(context.environ, options.repository, options.number, options.token_env)
    host = GitLab(target.base, target.token, context.clock, target.repository)
    messages = build_messages(reports, options.project, _build_around(target, context))
    try:
        return post_comments(host, target.number or 0, messages, Unchanged(options.when_unchanged))
    finally:
        host.host.close()


def _keep_issue(reports: list[Report], options: PublishOptions, context: Context) -> Published:
    target = find_github(context.environ, options.repository, options.number, options.token_env)
    host = GitHub(target.base, target.token, context.clock, target.repository)
    ended = f"Checked at {format_time(int(context.clock.now()))}"
    ended += f" by [this job]({target.run})." if target.run else "."
    try:
        around = _build_around(target, context)
        return post_issues(host, reports, options.project, around, ended)
    finally:
        host.host.close()


_TARGETS: dict[str, Callable[[list[Report], PublishOptions, Context], Published]] = {
    "github-comment": _comment_on_github,
    "github-issue": _keep_issue,
    "gitlab-note": _note_on_gitlab,
}

COMMAND = Command(
    PublishOptions,
    "Post JSON reports: a comment on a pull request (github-comment) or merge request "
    "(gitlab-note) for each account, updated in place, or an issue for the drift of each account "
    "(github-issue), closed when the drift ends.",
    _publish,
    PLAIN,
)
