"""Write the GitLab pipeline of a project: plan on a change, apply on merge, drift on a schedule.

No job that installs or runs other code sees a key.
"""

from __future__ import annotations

import posixpath

from ..config.yaml.writer import quote
from .placeholders import fill

INSTALL = "git+https://github.com/OWNER/REPOSITORY@COMMIT"
"""What to replace by a reviewed commit of the tool."""

GITLAB_FILE, GITLAB_INCLUDED = ".gitlab-ci.yml", ".gitlab/meters.gitlab-ci.yml"

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


def write_gitlab_pipeline(project: str, key: str) -> str:
    """Return the pipeline of a project.

    `project` is the folder in the repository, `key` the name of the variable of its API key.
    """
    journal = posixpath.normpath(posixpath.join(project, ".reconciler/journal.jsonl"))
    values = {
        "INSTALL@": quote(INSTALL),
        "PROJECT@": quote(project),
        "JOURNAL@": quote(journal),
        "KEY@": key,
    }
    return fill(_GITLAB, values)
