"""Keep one issue for the drift of each account: open, edit and close it with the reason."""

from __future__ import annotations

from msgspec.structs import replace

from ..diagnostics.codes import publishing as rules
from ..diagnostics.diagnostic import Effect
from ..diagnostics.errors import ConfigError
from ..model.finding import Severity
from ..render.escape import clean
from ..render.labels import count, has_effect
from ..render.markdown import Around, Comment, render_comment
from ..render.summary import summarize
from ..report.published import Publication, Published
from ..report.report import AccountReport, Report
from .github import GitHub
from .host import Posted, UncertainError
from .message import build_marker, has_drift, is_clean

LABEL = "meter-drift"
"""The label by which the issues are found; the severity is a second one."""

_TRIES = 3
_SEVERITIES = {severity: f"{LABEL}-{severity}" for severity in Severity}


def post_issues(
    host: GitHub, reports: list[Report], project: str, around: Around, ended: str
) -> Published:
    """Bring the issues up to date; `ended` is when and where the audit was, for a closed one."""
    for report in reports:
        if report.command != "drift":
            message = f"an issue is about drift, and this is a report of {report.command}"
            raise ConfigError(rules.REPORT_FILE(message))
    known = host.list_issues(LABEL)
    posted, said = [], []
    for report in reports:
        for account in report.accounts:
            marker = build_marker("drift", project, account.account.name)
            ours = [each for each in known if each.body.lstrip().startswith(marker)]
            comment = render_comment(replace(report, accounts=(account,)), around)
            posted.append(_settle(host, report, account, ours, marker, comment, ended))
            if comment.short and posted[-1].action in ("created", "updated"):
                said.append(rules.SHORTENED(f"the issue of {account.account.name} is shortened"))
    unknown = [each for each in reports if not each.accounts]
    posted += [Publication("", "kept") for _ in unknown]
    return Published(posted=tuple(posted), diagnostics=tuple(said))


def _settle(
    host: GitHub,
    report: Report,
    account: AccountReport,
    ours: list[Posted],
    marker: str,
    comment: Comment,
    ended: str,
) -> Publication:
    name = account.account.name
    newest = ours[0] if ours else None
    for duplicate in ours[1:]:
        host.update_issue(duplicate, state="closed", state_reason="not_planned")
    if has_drift(account):
        issue = _open(host, account, newest, marker, f"{marker}\n{comment.text}")
        return replace(issue, account=name)
    if newest is None:
        return Publication(name, "none")
    if not is_clean(report, account):
        return Publication(name, "kept", newest.id, newest.url)
    verdict = summarize(account, report.command).verdict
    host.create_comment(newest.id, f"Closed: {verdict} {ended}")
    host.update_issue(newest, state="closed", state_reason="completed")
    return Publication(name, "closed", newest.id, newest.url)


def _open(
    host: GitHub, account: AccountReport, newest: Posted | None, marker: str, body: str
) -> Publication:
    """Open an issue, or edit the open one; after an unclear answer, look whether it is there."""
    title, severity = _build_title(account), _SEVERITIES[_find_severity(account)]
    for attempt in range(1, _TRIES + 1):
        if newest is not None:
            others = [each for each in newest.labels if each not in _SEVERITIES.values()]
            labels = [*others, severity]
            same = newest.title == title and set(labels) == set(newest.labels)
            if same and newest.body.split() == body.split():
                return Publication("", "unchanged", newest.id, newest.url)
            host.update_issue(newest, title=title, body=body, labels=labels)
            return Publication("", "updated", newest.id, newest.url)
        try:
            made = host.create_issue(title, body, [LABEL, severity])
            return Publication("", "created", made.id, made.url)
        except UncertainError:
            found = [each for each in host.list_issues(LABEL) if each.body.startswith(marker)]
            if not found and attempt == _TRIES:
                raise
            newest = found[0] if found else None
    raise AssertionError("the last attempt returns or raises")


def _find_severity(account: AccountReport) -> Severity:
    """Return the highest severity; an expired exemption is a finding of a low one."""
    found = [entry.severity for entry in account.entries if entry.severity]
    found += [Severity.REVENUE] if has_effect(account, Effect.LOST_USAGE) else []
    return max(found, key=lambda severity: severity.weight, default=Severity.LOW)


def _build_title(account: AccountReport) -> str:
    name = clean(account.account.name)[:80]
    drifted = sum(entry.severity is not None for entry in account.entries)
    other = (
        "usage without a meter, revenue"
        if has_effect(account, Effect.LOST_USAGE)
        else "an exemption"
    )
    what = f"{count(drifted, 'meter')}, {_find_severity(account)}" if drifted else other
    return f"Meter drift in {name}: {what}"
