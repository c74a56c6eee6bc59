"""Write the CI workflow of a project: plan on a change, apply on merge, drift on a schedule.

Actions are pinned to commits. No step that installs or runs other code sees a key, no expression is
part of a shell command, and the token of the job can only read.
"""

from __future__ import annotations

import posixpath

from ..config.yaml.writer import quote

INSTALL = "git+https://github.com/OWNER/REPOSITORY@COMMIT"
"""What to replace by a reviewed commit of the tool."""

GITHUB_FILE = ".github/workflows/meters.yml"
GITLAB_FILE, GITLAB_INCLUDED = ".gitlab-ci.yml", ".gitlab/meters.gitlab-ci.yml"

_GITHUB = """\
# Written by `reconciler init --ci github`. Before the first run:
# - replace OWNER/REPOSITORY@COMMIT below by a commit of the tool that you have reviewed;
# - add the secret STRIPE_READ_KEY, a restricted key that can only read;
# - add an environment `stripe` with required reviewers, and to it the secret STRIPE_WRITE_KEY.
name: meters
on:
  pull_request:
  push: {branches: [main]}
  schedule: [{cron: "17 5 * * *"}]
permissions: {}
env:
  RECONCILER: INSTALL@
  PROJECT: PROJECT@
jobs:
  check: # pull requests and the schedule: a key that can only read
    if: github.event_name != 'push'
    runs-on: ubuntu-latest
    timeout-minutes: 15
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with: {persist-credentials: false}
      - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
        with: {python-version: "3.12"}
      - run: pip install "$RECONCILER" # sees no key
      - run: reconciler validate "$PROJECT" --format github
      - name: plan
        if: github.event_name == 'pull_request'
        env:
          KEY@: ${{ secrets.STRIPE_READ_KEY }}
        run: |
          [ -n "$KEY@" ] || exit 0 # a pull request from a fork has no key
          reconciler plan "$PROJECT" --format github --out markdown="$GITHUB_STEP_SUMMARY"
      - name: drift
        if: github.event_name == 'schedule'
        env:
          KEY@: ${{ secrets.STRIPE_READ_KEY }}
        run: reconciler drift "$PROJECT" --out markdown="$GITHUB_STEP_SUMMARY"
  apply:
    if: github.event_name == 'push'
    concurrency: {group: stripe-meters} # one writer at a time: Stripe has no compare-and-set
    environment: stripe
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with: {persist-credentials: false}
      - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
        with: {python-version: "3.12"}
      - run: pip install "$RECONCILER" # sees no key
      - name: apply
        env:
          KEY@: ${{ secrets.STRIPE_WRITE_KEY }}
        run: reconciler apply "$PROJECT" --yes --out markdown="$GITHUB_STEP_SUMMARY"
      - if: always() # the journal, which `history` reads, goes with the runner
        uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        with:
          name: journal
          path: JOURNAL@
          include-hidden-files: true
          if-no-files-found: ignore
"""

_GITLAB = """\
# Written by `reconciler init --ci gitlab`. Before the first run:
# - replace OWNER/REPOSITORY@COMMIT below by a commit of the tool that you have reviewed;
# - add the masked variable STRIPE_READ_KEY with the environment scope `stripe-read`, a restricted
#   key that can only read;
# - add the masked, protected variable STRIPE_WRITE_KEY with the environment scope `stripe-write`,
#   protect that environment, and add a pipeline schedule for drift.
.meters:
  image: python:3.12-slim
  variables:
    RECONCILER: INSTALL@
    PROJECT: PROJECT@

.meters-run:
  extends: .meters
  needs: ["meters:install"]
  before_script: # installing from wheels runs no code of theirs
    - pip install --no-index --find-links wheels meter-reconciler

meters:install: # in no environment, so that it sees no key
  extends: .meters
  stage: build
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_PIPELINE_SOURCE == "schedule"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  before_script:
    - apt-get update -qq && apt-get install -qq -y git
  script:
    - pip wheel -w wheels "$RECONCILER"
  artifacts: {paths: [wheels/], expire_in: 1 day}

meters:validate:
  extends: .meters-run
  stage: test
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  script:
    - reconciler validate "$PROJECT"

meters:plan:
  extends: .meters-run
  stage: test
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  environment: {name: stripe-read, action: access}
  script:
    - export KEY@="$STRIPE_READ_KEY"
    - '[ -n "$KEY@" ] || exit 0' # a merge request from a fork has no key
    - reconciler plan "$PROJECT" --out junit=plan.xml
  artifacts: {when: always, reports: {junit: plan.xml}}

meters:drift:
  extends: .meters-run
  stage: test
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  environment: {name: stripe-read, action: access}
  script:
    - export KEY@="$STRIPE_READ_KEY"
    - reconciler drift "$PROJECT"

meters:apply:
  extends: .meters-run
  stage: deploy
  rules:
    - if: $CI_PIPELINE_SOURCE != "schedule" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  environment: {name: stripe-write}
  resource_group: stripe-meters # one writer at a time: Stripe has no compare-and-set
  script:
    - export KEY@="$STRIPE_WRITE_KEY"
    - reconciler apply "$PROJECT" --yes
  artifacts: # the journal, which `history` reads, goes with the runner
    when: always
    paths:
      - JOURNAL@
"""


_TEMPLATES = {"github": _GITHUB, "gitlab": _GITLAB}


def write_workflow(host: str, project: str, key: str) -> str:
    """Return the file for a code host, `github` or `gitlab`.

    `project` is the folder in the repository, `key` the name of the variable of its API key.
    """
    journal = posixpath.normpath(posixpath.join(project, ".reconciler/journal.jsonl"))
    values = {
        "INSTALL@": quote(INSTALL),
        "PROJECT@": quote(project),
        "JOURNAL@": quote(journal),
        "KEY@": key,
    }
    template = _TEMPLATES[host]
    for word, value in values.items():
        template = template.replace(word, value)
    return template
