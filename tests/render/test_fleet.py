"""A report of many accounts: failures first, each change once, and a matrix of what differs."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from render.reports import CHANGES, HOSTILE, drifted, like, partly_applied

from reconciler.diagnostics.codes import service
from reconciler.diagnostics.diagnostic import Level
from reconciler.diagnostics.errors import Exit
from reconciler.model.project import AccountRef
from reconciler.render import render
from reconciler.render.fleet.groups import MANY, build_matrix, group_accounts
from reconciler.render.fleet.shared import share_items
from reconciler.render.text import render as render_text
from reconciler.render.view import build_view
from reconciler.report.read_report import read_report
from reconciler.report.report import AccountReport, Report, ReportedChange

SAME = tuple(like("ai_tokens", *(f"same_{n:02}" for n in range(20))))
NEW = tuple(like("ai_search_calls", "search", "images"))
BLOCKED = tuple(like("api_calls", "search"))
UNREACHABLE = service.UNREACHABLE("Stripe is not responding")


def account(n, changes=NEW + SAME, **more):
    ref = AccountRef(f"partners/acct_{n:04}", f"acct_{n:04}", livemode=False)
    return AccountReport(account=ref, changes=changes, plan_hash=f"{n:064}", **more)


def failed(n, said=UNREACHABLE):
    ref = AccountRef(f"partners/acct_{n:04}")
    return AccountReport(account=ref, exit_code=Exit.FAILED, complete=False, diagnostics=(said,))


def fleet(number, command="plan"):
    """Accounts that create two meters; a few that are broken in different ways."""
    accounts = [account(n) for n in range(number)]
    accounts[1] = failed(1)
    accounts[2] = account(2, BLOCKED + NEW[1:] + SAME, exit_code=Exit.REFUSED)
    if number > 20:
        accounts[11] = failed(11)
        accounts[12] = account(12, SAME)
    return Report(command=command, accounts=tuple(accounts))


def text(report, **options):
    return render_text(report, **options)


def test_a_handful_of_accounts_is_shown_one_by_one():
    shown = text(fleet(3))
    assert [f"Plan for partners/acct_{n:04}" in shown for n in range(3)] == [True] * 3
    assert "Accounts by result" not in shown


@pytest.mark.parametrize("number", [30, 1000])
def test_a_fleet_fits_a_terminal_and_failures_are_above_everything(number, golden):
    """Its length does not grow with the number of accounts."""
    shown = text(fleet(number))
    assert max(map(len, shown.splitlines())) <= 80
    golden(f"fleet/{number}.txt", shown)
    assert shown.index("Not completed: 3 accounts") < shown.index("acct_0000")
    assert re.search(r"partners/acct_0001, partners/acct_0011:\n +Failed", shown)
    assert f"{number - 4}  partners/acct_0000" in shown
    assert len(shown.splitlines()) < 60


def test_verbose_lists_every_account():
    shown = text(fleet(30), verbose=True)
    assert [n for n in range(30) if f"Plan for partners/acct_{n:04}" not in shown] == []


def test_a_wide_terminal_has_more_columns():
    """Results without a column are counted."""
    changes = like("ai_search_calls", *(f"meter_{n:02}" for n in range(12)))
    accounts = tuple(account(n, (changes[n],)) for n in range(12))
    report = Report(command="plan", accounts=accounts)
    narrow, wide = text(report), text(report, width=160)
    assert "and 6 more accounts with other changes (-v)" in narrow
    assert "more accounts with other changes" not in wide
    assert max(map(len, wide.splitlines())) <= 160


@pytest.mark.parametrize("number", [30, 1000])
def test_a_comment_fits_and_has_a_row_for_each_meter_and_a_column_for_each_result(number):
    shown = render(fleet(number), "markdown")
    assert len(shown) <= 65_536
    rows = [line for line in shown.splitlines() if line.startswith("| `")]
    assert rows == ["| `search` | **blocked** | create |", "| `images` | create | create |"]
    assert shown.count("#### ") == 1
    assert f"{number - 4} accounts: " in shown
    assert "partners/acct_0001: Stripe is not responding" in shown


def test_a_page_has_each_change_once_and_every_account():
    """With its plan_hash, folded; its size does not depend on unchanged meters."""
    shown = render(fleet(300), "html")
    assert [n for n in range(300) if f"partners/acct_{n:04}" not in shown] == []
    assert f"{7:064}" in shown
    assert shown.count('class="line ') == 3
    assert "same_00" not in shown
    assert re.search(r"<caption>Meters by account</caption>", shown)
    assert len(shown) < 250_000


@pytest.mark.parametrize("form", ["text", "markdown", "html", "github", "junit"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_escaped_as_everywhere(name, form):
    accounts = [
        account(n, (replace(NEW[0], change=replace(NEW[0].change, event_name=f"{name}{n}")),))
        for n in range(8)
    ]
    accounts[0] = replace(accounts[0], account=AccountRef(name))
    shown = render(Report(command="plan", accounts=tuple(accounts)), form)
    assert not {"\x1b", "\u202e", "\x07", "\ufffe"} & set(shown)
    if form == "html":
        assert "<script>alert" not in shown
        assert "<img" not in shown
    assert not re.search(r"^::error file=a", shown, re.M)


def test_the_same_warning_of_many_accounts_is_three_and_a_count():
    said = replace(service.UNREACHABLE("something is odd"), level=Level.WARNING)
    accounts = tuple(account(n, SAME, diagnostics=(said,)) for n in range(40))
    shown = " ".join(text(Report(command="plan", accounts=accounts)).split())
    assert shown.count("something is odd") == 3
    assert "37 more diagnostics" in shown


def repeat(report, number=8):
    """The report of one account for several."""
    (one,) = report.accounts
    refs = [AccountRef(f"a{n}", f"acct_{n}", livemode=True) for n in range(number)]
    return replace(report, accounts=tuple(replace(one, account=ref) for ref in refs))


@pytest.mark.parametrize("make", [drifted, partly_applied])
@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_result_of_all_accounts_is_shown_once(make, form):
    """Also where it is read back from JSON."""
    report = repeat(make())
    known = read_report(render(report, "json"), "report.json")
    shown = render(known, form)
    assert "8 accounts" in shown
    names = {item.event_name for item in build_view(known).shown if item.must_read}
    assert names
    assert [n for n in names if n.isalnum() and n not in shown] == []
    assert len(shown) < 2.5 * len(render(make(), form)) + 5000


CHOICES = [
    (),
    SAME[:2],
    NEW,
    BLOCKED,
    NEW + SAME[:1],
    tuple(ReportedChange(c) for c in CHANGES.values()),
]


@given(st.lists(st.sampled_from(range(len(CHOICES) + 1)), min_size=1, max_size=12))
def test_no_account_and_no_change_is_lost_or_counted_twice(chosen):
    """Groups are a partition of the accounts, shared items one of the changes that are shown."""
    accounts = [
        account(n, CHOICES[choice]) if choice < len(CHOICES) else failed(n)
        for n, choice in enumerate(chosen)
    ]
    view = build_view(Report(command="plan", accounts=tuple(accounts)))
    groups = group_accounts(view)
    names = [name for group in groups for name in group.names]
    assert sorted(names) == [each.account.name for each in accounts]
    assert [group.failed for group in groups] == sorted((g.failed for g in groups), reverse=True)
    shared = share_items(view)
    pairs = [(each.item.event_name, name) for each in shared for name in each.accounts]
    assert sorted(pairs) == sorted((item.event_name, item.account) for item in view.shown)
    matrix = build_matrix(groups, 3, 4)
    showing = [group for group in groups if group.shown]
    assert [*matrix.columns, *matrix.left_out] == showing
    assert len(matrix.rows) <= 4
    assert len(matrix.rows) + max(matrix.more, 0) == len(
        {name for group in matrix.columns for name in group.shown}
    )


def test_json_and_the_counts_of_a_fleet_are_those_of_its_accounts():
    data = json.loads(render(fleet(30), "json"))
    assert data["summary"]["create"] == sum(a["summary"]["create"] for a in data["accounts"]) == 53
    assert MANY < 30
