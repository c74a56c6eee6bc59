"""Texts and numbers that Stripe would not send: shown shortened and marked, in JSON whole."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from cli.test_newer_stripe import alter
from cli.world import CALLS, SEATS, existing
from published import held
from stripe_client.scripted import Scripted, refusal

from reconciler.history import journal
from reconciler.render import FORMATS

LONG = "x" * 200_000
NAME = f"undeclared {LONG}"
MANY = 8  # of one kind: more than are shown one by one
RETIRED = SEATS.replace("seats,", "seats, status: inactive,")


@pytest.fixture
def endless(world):
    """Every text of a declared, a retired and an undeclared meter, and of a price, is long."""
    meters = [existing(name, name, id=f"mtr_{name}") for name in ("seats", "calls", "rooms")]
    prices = [{"id": f"price_{n}", "meter": f"mtr_{n}"} for n in ("seats", "rooms")]
    made = world(f"{RETIRED}\n{CALLS}", {"meters": meters, "prices": prices})
    inner = {"event_payload_key": LONG}
    for name in ("calls", "rooms"):
        texts = {"display_name": LONG, "event_time_window": LONG, "value_settings": inner}
        formula = {"default_aggregation": {"formula": LONG}}
        alter(made, f"mtr_{name}", **texts, **formula, **{LONG: LONG})
    alter(made, "mtr_rooms", event_name=NAME, customer_mapping={"type": LONG, **inner})
    for name in ("seats", "rooms"):
        alter(made, f"price_{name}", id=f"price_{LONG}", nickname=LONG, product=LONG)
    return made


def texts_of(document):
    """What a JSON report says in words: diagnostics, findings and errors."""
    (account,) = document["accounts"]
    for each in (*account["diagnostics"], *account.get("findings", ())):
        yield from filter(None, (each["message"], each.get("hint")))


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("command", ["plan", "drift", "apply --yes --skip-refused"])
def test_no_format_is_as_long_as_a_text_in_it(command, format_, endless, run):
    """What is cut is marked; JSON keeps what other programs read, and bounds what it says."""
    ran = run(*command.split(), endless.folder, "--no-color", "--format", format_)
    assert ran.code in (2, 3)
    assert len(ran.err) < 100_000
    mark = "[cut: " if format_ == "codequality" else "[cut: 200,0"
    assert mark in ran.out or format_ == "markdown"
    if format_ != "json":
        assert len(ran.out) < 150_000
        return
    document = held(ran.out)
    assert LONG in ran.out
    assert max(map(len, texts_of(document))) < 25_000
    assert "[cut: 200,0" in "".join(texts_of(document))


def test_an_annotation_is_no_longer_than_the_runner_takes(endless, run):
    """GitHub's runner cuts a message at 4,096 characters without a word."""
    lines = run("drift", endless.folder, "--format", "github").out.splitlines()
    assert len(lines) > 3
    assert max(len(line.rpartition("::")[2].replace("%0A", "\n")) for line in lines) <= 4_096


def test_a_long_name_leaves_a_list_readable(endless, run):
    """Every column is as wide as its longest cell."""
    ran = run("list", endless.folder)
    assert ran.code == 0
    assert "[cut: 200,011 characters]" in ran.out
    assert all(len(line) < 2_000 for line in ran.out.splitlines())
    (account,) = held(run("list", endless.folder, "--format", "json").out)["accounts"]
    assert NAME in [meter["event_name"] for meter in account["meters"]]


def test_a_long_message_of_stripe_is_cut(world, run):
    """Its end is shown as well: the request id."""
    with Scripted(lambda _: refusal(400, LONG)) as server:
        made = world(SEATS, api_base=server.url)
        ran = run("plan", made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    (said,) = account["diagnostics"]
    assert ran.code == 1
    assert len(said["message"]) < 2_200
    assert said["message"].startswith("xxx")
    assert said["message"].endswith("… (request req_1)")


@pytest.fixture
def newer(world):
    """Declared and undeclared meters, `MANY` of each, with a field that a newer Stripe added."""
    names = [f"{kind}_{n}" for kind in ("declared", "other") for n in range(MANY)]
    meters = [existing(name, "Calls", "sum", id=f"mtr_{name}") for name in names]
    declared = "\n".join(CALLS.replace("calls,", f"declared_{n},") for n in range(MANY))
    made = world(declared, {"meters": meters})
    for name in names:
        alter(made, f"mtr_{name}", brand_new=f"{name}!")
    return made


@pytest.mark.parametrize("command", ["plan", "drift"])
@pytest.mark.parametrize("format_", [*FORMATS, "text -v"])
def test_many_warnings_of_one_kind_are_summed_up(command, format_, newer, run):
    """Three of them and a count, for people; all of them in JSON, and with -v."""
    name, *more = format_.split()
    out = run(command, newer.folder, "--no-color", "--format", name, *more).out
    shown = [n for n in range(MANY) if f"declared_{n}!" in out]
    if format_ in ("json", "sarif", "codequality", "text -v"):
        assert shown == [*range(MANY)]
        assert "are not listed here" not in out
        assert all(f"other_{n}!" in out for n in range(MANY))
        return
    assert shown == [0, 1, 2]
    if format_ != "junit":
        assert "5 more diagnostics with code P107 are not listed here" in " ".join(out.split())
    assert "other_0" in out
    assert "and 5 more" in out
    assert "other_7" not in out
    assert "P107" in out


def test_many_meters_of_an_unknown_status_are_one_line(world, run):
    """A warning each would bury the rest."""
    names = [f"other_{n}" for n in range(MANY)]
    meters = [existing(name, name, id=f"mtr_{name}", status="paused") for name in names]
    made = world(SEATS, {"meters": meters})
    for command, title in (("plan", "unmanaged, P006"), ("drift", "unknown status")):
        ran = run(command, made.folder)
        assert f"8 {title}: other_0, other_1, other_2 and 5 more" in " ".join(ran.out.split())
        assert "other_3" not in ran.out
        assert "other_7" in run(command, made.folder, "-v").out
        junit = ElementTree.fromstring(run(command, made.folder, "--format", "junit").out)
        cases = [case.get("name") for case in junit.iter("testcase")]
        assert cases == [title, "seats"] or cases == ["seats", title]


def test_many_errors_are_bounded_beside_a_document_that_has_them_all(world, run):
    """On standard error, which is the log of a job."""
    made = world("")
    made.file("meters.yaml", f"version: 1\nmeters: [{'x, ' * 120}]\n")
    ran = run("validate", made.folder, "--format", "json")
    assert (ran.code, len(held(ran.out)["diagnostics"])) == (1, 120)
    *lines, last = ran.err.splitlines()
    assert len(lines) == 100
    assert last == "20 more errors are in the document"


def test_a_damaged_journal_is_one_diagnostic(world, run):
    """At its first unreadable line, with their number."""
    made = world(SEATS)
    assert run("apply", made.folder, "--yes").code == 0
    path = made.folder / ".reconciler" / journal.NAME
    whole = path.read_bytes()
    path.write_bytes(b"{\n" * 3_000 + whole + b"}\n")
    document = held(run("history", made.folder, "--format", "json").out)
    (damaged,) = document["diagnostics"]
    last = 3_001 + whole.count(b"\n")
    assert (damaged["code"], damaged["location"]["line"], damaged["level"]) == (
        "J002",
        1,
        "warning",
    )
    assert (
        f"3,001 entries of the journal are unreadable, from line 1 to line {last:,}"
        in (damaged["message"])
    )
    assert len(document["runs"]) == 1


def test_many_warnings_beside_a_file_on_standard_output_are_summed_up(world, run):
    """`import` says on standard error what it leaves out."""
    made = world("", {"meters": [existing(f"e{n}", "E", id=f"mtr_{n}") for n in range(MANY)]})
    for n in range(MANY):
        alter(made, f"mtr_{n}", event_name=f"e{n}{LONG}")
    err = run("import", made.folder).err
    assert "5 more diagnostics" in " ".join(err.split())
    assert len(err) < 10_000
