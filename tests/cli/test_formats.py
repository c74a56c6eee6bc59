"""What every format says alike: what is refused, what was done all the same, what was not seen."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler.emulator import Key, Settings

MARKED = ("markdown", "html", "github")
ALL = ("text", "json", *MARKED, "junit", "sarif")
PARTIAL = "Partial run: undeclared meters were not evaluated."


def billed(world, meters=SEATS):
    """`seats` is retired in the files, and an active price bills on it."""
    priced = {"id": "price_1Seat", "meter": "mtr_seats"}
    seed = {"meters": [existing("seats", "Seats", id="mtr_seats")], "prices": [priced]}
    return world(meters.replace("Seats, ", "Seats, status: inactive, "), seed)


def new(number):
    entry = "{{event_name: {0}, display_name: {0}, default_aggregation: {{formula: sum}}}}"
    return "\n".join(entry.format(f"new_{'x' * 60}_{n}") for n in range(number))


def test_a_comment_drops_a_create_before_a_refused_deactivation(world, run):
    """320 new meters do not fit; what refuses the whole plan comes first, with its code."""
    made = billed(world, f"{SEATS}\n{new(320)}")
    ran = run("plan", made.folder, "--format", "markdown")
    above, _, rows = ran.out.partition("| Change | Meter |")
    assert ran.code == 3
    assert "Refused: apply makes no changes" in ran.out
    assert "`seats` — refused by G004" in above
    assert "'seats' has prices in use" in above
    assert "new&#95;" in rows
    assert "Truncated: " in ran.out
    assert "cannot serve as approval" in ran.out


@pytest.mark.parametrize(("format_", "sign"), [("html", 'class="name">'), ("github", "title=G004")])
def test_a_refused_deactivation_comes_first(format_, sign, world, run):
    """Before meters that are only missing."""
    made = billed(world, f"{SEATS}\n{new(3)}")
    ran = run("plan", made.folder, "--format", format_)
    assert ran.out.partition(sign)[2].lstrip(" ").startswith("seats")


@pytest.mark.parametrize("format_", ["text", *MARKED])
def test_skipping_what_is_refused_does_not_claim_that_nothing_was_written(format_, world, run):
    """Some were applied, and exit 3 is for the one that was left."""
    made = billed(world, f"{SEATS}\n{CALLS}")
    ran = run("apply", made.folder, "--yes", "--skip-refused", "--format", format_)
    assert ran.code == 3
    assert len(made.posts()) == 1
    assert "1 change applied, 1 refused." in ran.out
    assert "writes nothing" not in ran.out
    assert "Nothing was changed" not in ran.out


def test_one_account_without_a_key_does_not_hide_what_another_was_written(world, run):
    """The verdict of the whole run counts what was applied in any of its accounts."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    made.add_account("keyless")
    names = ("--account", "keyless", "--account", "sandbox")
    ran = run("apply", made.folder, *names, "--yes", "--format", "markdown")
    assert ran.code == 6
    missing = "Missing or invalid API key, or insufficient permissions"
    assert f"> **{missing}: 1 change applied.**" in ran.out
    assert f"| {missing}. Nothing was changed in Stripe. |" in ran.out


NARROWED = (
    (0, ["plan", "--only", "se*"]),
    (0, ["validate"]),
    (2, ["drift", "--only", "se*"]),
    (0, ["drift", "--only", "ca*"]),
    (0, ["apply", "--only", "se*", "--yes"]),
    (0, ["apply", "--only", "ca*", "--yes"]),
)


@pytest.mark.parametrize(("code", "words"), NARROWED, ids=[" ".join(w[:3]) for _, w in NARROWED])
@pytest.mark.parametrize("format_", ALL)
def test_every_format_says_that_a_run_is_partial(format_, code, words, world, run):
    """Narrowed by a pattern, or by the path of one file; whether or not something differs."""
    seed = {"meters": [existing("seats", "Chairs"), existing("calls", "Calls", "sum")]}
    made = world(f"{SEATS}\n{CALLS}", seed)
    path = made.folder / "meters.yaml" if words == ["validate"] else made.folder
    ran = run(words[0], path, *words[1:], "--format", format_)
    assert ran.code == code
    match format_:
        case "json":
            assert held(ran.out)["complete"] is False
        case "sarif":
            assert '"complete": false' in ran.out
            assert '"id": "P104"' in ran.out
        case _:
            assert PARTIAL in ran.out
    if format_ == "junit":
        assert '<property name="complete" value="false"/>' in ran.out
        assert f'<skipped message="{PARTIAL}">' in ran.out


@pytest.mark.parametrize("format_", ALL)
def test_a_whole_run_is_not_called_partial(format_, world, run):
    """Nor is the test case for what was not looked at there."""
    ran = run("validate", world(SEATS).folder, "--format", format_)
    assert (ran.code, bool(ran.out)) == (0, True)
    assert PARTIAL not in ran.out
    assert "P104" not in ran.out
    assert "everything else" not in ran.out


@pytest.mark.parametrize("words", [["plan"], ["drift"], ["apply", "--yes"]], ids=lambda w: w[0])
@pytest.mark.parametrize("format_", ALL)
def test_a_whole_run_over_an_account_is_not_called_partial(format_, words, world, run):
    """Whether something differs or nothing does."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    for _ in range(2):
        ran = run(words[0], made.folder, *words[1:], "--format", format_)
        assert (ran.code, bool(ran.out)) == (2 if words == ["drift"] else 0, True)
        assert PARTIAL not in ran.out
        assert "P104" not in ran.out
        assert "everything else" not in ran.out


OWNING = "{undeclared: deactivate, owns: ['*'], max_deactivations: %d}"


@pytest.mark.parametrize(
    ("words", "allowed", "fault"),
    [
        (["plan"], 0, None),
        (["apply", "--yes"], 0, None),
        (["apply", "--yes"], 9, "500:method=POST"),
        (["apply", "--yes"], 9, "403:method=POST"),
    ],
)
def test_an_undeclared_meter_that_is_refused_or_fails_is_a_failed_test(
    words, allowed, fault, world, run, monkeypatch
):
    """No file names it, so nothing else would show it in a list of tests."""
    seed = {"meters": [existing("seats", "Seats"), existing("old", "Old")]}
    reading = Key("rk_test_r", frozenset({"billing_meter_read", "plan_read"}))
    settings = Settings(keys=(Key("sk_test_emulator"), reading))
    made = world(SEATS, seed, policy=OWNING % allowed, settings=settings)
    if fault and fault.startswith("403"):
        monkeypatch.setenv("SANDBOX_KEY", reading.secret)
    elif fault:
        made.server.arm(fault)
    ran = run(words[0], made.folder, *words[1:], "--format", "junit")
    suite = ElementTree.fromstring(ran.out)
    ends = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert ran.code != 0
    assert ends["old"] == ["failure"]
    assert ends["seats"] in ([], ["system-out"])
