"""Rules H: publishing a report to a code host, GitHub or GitLab."""

from __future__ import annotations

from ..diagnostic import Level, Rule

REPORT_FILE = Rule(
    "H001",
    "a report cannot be read or published",
    "The file is not a JSON report of validate, plan, apply or drift, is truncated or was edited, "
    "has a format_version that this version does not read, or is about an account that another "
    "file to publish is about as well.",
    "write the report with `--out json=FILE`, and publish each account once",
)
NO_TARGET = Rule(
    "H002",
    "where to publish is not known",
    "The repository or project, and for a comment the number of the pull request or merge request, "
    "come from the variables that GitHub Actions and GitLab CI set, or from options.",
    "run it in a job of a pull request or merge request, or give --repository and --number",
)
NO_TOKEN = Rule(
    "H003",
    "missing token",
    "A comment or an issue is written with a token from the environment: GITHUB_TOKEN for GitHub, "
    "GITLAB_TOKEN for GitLab, or the variable that --token-env names.",
    "set the variable in the job, from a secret; never in a file",
)
UNSAFE_HOST = Rule(
    "H004",
    "a token is not sent to this address",
    "The token is sent to https addresses only, or to http on this machine.",
    "set GITHUB_API_URL or CI_API_V4_URL to the https address of the API, or unset it",
)
DENIED = Rule(
    "H005",
    "the token may not do this",
    "GitHub or GitLab rejected the token, or it lacks a permission. An object that a token may not "
    "see is answered as if it did not exist.",
    "on GitHub, comments need `pull-requests: write`, drift issues `issues: write`, recording a "
    "plan `statuses: write`, and finding the approved one `pull-requests: read` and "
    "`statuses: read`; on GitLab the token needs the scope `api`",
)
NOT_PUBLISHED = Rule(
    "H006",
    "a request to GitHub or GitLab failed",
    "GitHub or GitLab did not respond, rejected the request or limits the rate of requests. What "
    "can pass was retried. The run that a report is of is not affected.",
    "run it again: `publish` updates what is there, and writes nothing twice",
)
READ_ONLY = Rule(
    "H007",
    "a pull request from a fork cannot be commented on",
    "The token of a pull request from a fork may only read: unreviewed code must not "
    "write. The report is in the log and the summary of the job.",
    "read the report in the job; a maintainer can run it from a branch of the repository",
    level=Level.WARNING,
)
SHORTENED = Rule(
    "H008",
    "the comment is shortened",
    "A comment holds 65,536 characters. What does not fit is counted in it, and it says that it is "
    "no approval.",
    "read the whole report: `--out html=FILE`",
    level=Level.WARNING,
)
