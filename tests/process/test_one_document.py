"""Standard output carries exactly one document in every ending; in JSON the other files look."""

from __future__ import annotations

import signal

import pytest
from process.children import Child, apply

from reconciler.emulator import Phase


def done(stand):
    return 0, apply(stand.folder, format_="text"), "verified: the account matches"


def overtaken(stand):
    def edit(*_):
        stand.server.edit("/v1/billing/meters/mtr_over_1", {"display_name": "Theirs"})

    stand.at(19, Phase.AFTER, edit)
    return 5, apply(stand.folder, format_="text"), "14 changed, 4 skipped, 1 stale"


def without_journal(stand):
    stand.state_folder.write_text("")
    return 1, apply(stand.folder, format_="text"), "error J001"


def stale(stand):
    plan = stand.folder / "plan.json"
    assert Child("plan", stand.folder, "--save", plan, "--quiet").end().code == 0
    stand.server.edit("/v1/billing/meters/mtr_named_1", {"display_name": "Theirs"})
    return 4, apply(stand.folder, "--plan", plan, format_="text"), "18 skipped, 1 stale"


def interrupted(stand):
    stand.at(20, Phase.AFTER, lambda *_: child.stop(signal.SIGTERM))
    child = apply(stand.folder, format_="text")
    return 130, child, "was not applied: the run was interrupted"


@pytest.mark.parametrize("ending", [done, overtaken, without_journal, stale, interrupted])
def test_text_is_one_document_and_says_what_happened(ending, stand):
    """It begins once, with nothing before or after it, and no traceback anywhere."""
    code, child, said = ending(stand)
    ended = child.end()
    assert ended.code == code, ended
    assert ended.out.startswith("Apply for sandbox")
    assert ended.out.count("Apply for ") == 1
    assert said in " ".join(ended.out.split())
    assert "Traceback" not in ended.out + ended.err
