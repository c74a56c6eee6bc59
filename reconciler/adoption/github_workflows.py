"""Write the GitHub workflows of a project: they use the Action, as `examples/ci/github/` does.

Actions are pinned to commits, the token of a job has what the job needs, and keys are in
environments. Only the step of the Action sees one.
"""

from __future__ import annotations

import posixpath

from ..config.yaml.writer import quote
from .placeholders import fill

_ACTION = "OWNER/REPOSITORY@0123456789abcdef0123456789abcdef01234567"

_ONE_ACCOUNT = """\
# One account: plan on a pull request, apply on merge what its review approved.
#
# Before the first run:
# - replace OWNER/REPOSITORY@… by the Action at a commit that you have reviewed;
# - add the environment `stripe-read` with the secret STRIPE_READ_KEY, a restricted key that can
#   only read, and the environment `stripe-write` with the secret STRIPE_WRITE_KEY, for the branch
#   `main` only;
# - set `account_id` of the account in FILE@, and protect the branch `main`.
name: meters
on:
  pull_request:
  push: {branches: [main]}
permissions: {}
concurrency: # GitHub cancels a waiting apply when a newer one arrives: run it again, before that
  group: meters-${{ github.event.pull_request.number || 'apply' }}
  cancel-in-progress: false # never an apply, in the middle
jobs:
  plan:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    timeout-minutes: 15
    environment: stripe-read
    permissions:
      contents: read
      pull-requests: write # the comment
      statuses: write # the plan, on the commit that it was made of
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with: {persist-credentials: false}
      - uses: ACTION@
        with: {command: plan, path: PROJECT@}
        env:
          KEY@: ${{ secrets.STRIPE_READ_KEY }} # empty in a pull request from a fork
  apply:
    if: github.event_name == 'push'
    runs-on: ubuntu-latest
    timeout-minutes: 30
    environment: stripe-write
    permissions:
      contents: read
      pull-requests: write # reads the review, and comments
      statuses: read # the plan that was approved
      actions: read # what differs from it
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with: {persist-credentials: false}
      - uses: ACTION@
        with: {command: apply, path: PROJECT@}
        env:
          KEY@: ${{ secrets.STRIPE_WRITE_KEY }}
"""

_DRIFT = """\
# Nightly drift: one issue for each account, opened when drift begins and closed when it ends.
#
# Before the first run:
# - replace OWNER/REPOSITORY@… by the Action at a commit that you have reviewed;
# - add the environment `stripe-read` with the secret STRIPE_READ_KEY, a restricted key that can
#   only read.
name: drift
on:
  schedule: [{cron: "17 5 * * *"}]
  workflow_dispatch:
permissions: {}
concurrency: {group: drift, cancel-in-progress: false} # one issue: two runs would open two
jobs:
  drift:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    environment: stripe-read
    permissions:
      contents: read
      issues: write # the issue
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with: {persist-credentials: false}
      - uses: ACTION@
        with: {command: drift, path: PROJECT@}
        env:
          KEY@: ${{ secrets.STRIPE_READ_KEY }}
"""

_FILES = {
    ".github/workflows/meters.yml": _ONE_ACCOUNT,
    ".github/workflows/meters-drift.yml": _DRIFT,
}


def write_github_workflows(project: str, key: str) -> dict[str, str]:
    """Return the files by path: a plan and its apply, and nightly drift.

    `project` is the folder in the repository, `key` the name of the variable of its API key.
    """
    values = {
        "ACTION@": f"{_ACTION} # a commit that you have reviewed",
        "PROJECT@": _write_literal(project),
        "FILE@": quote(posixpath.normpath(posixpath.join(project, "reconciler.yaml")))[1:-1],
        "KEY@": key,
    }
    return {file: fill(text, values) for file, text in _FILES.items()}


def _write_literal(text: str) -> str:
    """Return a value of a workflow in quotes; what looks like an expression is none."""
    return quote(text).replace("${{", "${{ '${{' }}")
