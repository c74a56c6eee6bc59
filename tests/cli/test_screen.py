"""The terminal: colors, width, escaping, progress, and streams that are closed or full."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
import termios

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler.cli.console import Console

EVIL = "Ev\x1b[31mil\u202e"


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def watched(monkeypatch, run):
    """Run with standard output on a terminal; return what it shows."""

    def _run(*words: object) -> str:
        stream = Terminal()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stream)
            run(*words)
        return stream.getvalue()

    return _run


def test_colors_on_a_terminal(watched, world):
    assert "\x1b[32m" in watched("plan", world(SEATS).folder)


@pytest.mark.parametrize(("option", "variable"), [("--no-color", ""), ("--quiet", "1")])
def test_colors_can_be_turned_off(option, variable, watched, world, monkeypatch):
    """The command line, or the environment (no-color.org)."""
    monkeypatch.setenv("NO_COLOR", variable)
    seen = watched("plan", world(SEATS).folder, option)
    assert "  + seats" in seen
    assert "\x1b" not in seen


def test_colors_can_be_forced(world, run, monkeypatch):
    """FORCE_COLOR colors a pipe, as in a CI log; NO_COLOR wins over it."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    made = world(SEATS)
    assert "\x1b[32m" in run("plan", made.folder).out
    assert "\x1b" not in run("plan", made.folder, "--no-color").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("plan", made.folder).out


def test_a_dumb_terminal_gets_neither_colors_nor_progress(watched, world, monkeypatch):
    """It would show the control sequences."""
    monkeypatch.setenv("TERM", "dumb")
    errors = Terminal()
    monkeypatch.setattr(sys, "stderr", errors)
    assert "\x1b" not in watched("apply", world(SEATS).folder, "--yes")
    assert errors.getvalue() == "done: create seats\n"


@pytest.mark.parametrize(("columns", "width"), [("", 80), ("120", 120), ("5", 20), ("wide", 80)])
def test_text_fits_the_width(columns, width, world, run, monkeypatch):
    """COLUMNS, or 80 without a terminal: the location ends in the last column."""
    monkeypatch.setenv("COLUMNS", columns)
    out = run("plan", world(SEATS).folder).out
    (head,) = [line for line in out.splitlines() if line.startswith("  + seats")]
    assert len(head) == max(width, len(" ".join(head.split())) + 4)
    assert Console({"COLUMNS": columns}).width == width


def test_the_width_is_that_of_the_terminal():
    """Where COLUMNS says nothing."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 132))
    with contextlib.closing(os.fdopen(slave, "w")) as terminal, pytest.MonkeyPatch.context() as at:
        at.setattr(sys, "stdout", terminal)
        assert Console({}).width == 132
    os.close(master)


def test_json_is_never_colored(watched, world):
    """Not even on a terminal."""
    held(watched("plan", world(SEATS).folder, "--format", "json"))


def test_names_from_the_account_cannot_move_the_screen(world, run):
    """Escapes and bidirectional characters in an existing meter's name are shown as text."""
    made = world("", {"meters": [existing("evil", EVIL)]})
    ran = run("list", made.folder)
    assert "Ev\\x1b[31mil\\u202e" in ran.out
    assert "\x1b" not in ran.out


@pytest.mark.parametrize(
    "words", [["plan"], ["plan", "-v"], ["drift"], ["list"], ["apply", "--yes"]]
)
def test_colors_do_not_let_escapes_through(words, world, run, monkeypatch):
    """What is in color is escaped like everything else: names, settings and ids of others."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    seed = {
        "meters": [
            existing("seats", EVIL, id="mtr_s"),
            existing(EVIL, EVIL, value_settings={"event_payload_key": EVIL}),
            existing("old", EVIL, status="inactive"),
        ],
        "prices": [{"id": "price_1", "meter": "mtr_s", "nickname": EVIL}],
    }
    ran = run(words[0], world(SEATS, seed).folder, *words[1:])
    assert "\x1b[1m" in ran.out
    left = re.sub(r"\x1b\[\d+m", "", ran.out)
    assert "\\x1b[31m" in left
    assert all(char.isprintable() or char == "\n" for char in left)


def test_messages_are_escaped(capsys):
    """Standard error is a terminal, too."""
    Console().inform(EVIL)
    assert capsys.readouterr().err == "Ev\\x1b[31mil\\u202e\n"


def test_progress_without_a_terminal_and_with_quiet(world, run):
    """Without a terminal there is a line for each result; --quiet hides them."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    assert run("apply", made.folder, "--yes").err == "done: update seats\n"
    made.write(SEATS.replace("Seats", "Stools"))
    assert run("apply", made.folder, "--yes", "--quiet").err == ""


def test_progress_on_a_terminal(world, run, monkeypatch):
    """On a terminal one line on standard error is rewritten, and removed at the end."""
    made = world(SEATS, {"meters": [existing("[red]seats", "Chairs")]})
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    ran = run("apply", made.folder, "--yes", "--format", "json")
    assert held(ran.out)["exit_code"] == 0
    assert "\r\x1b[Ksandbox: applying 1 change" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_progress_counts_only_what_was_applied(world, run, monkeypatch):
    """Neither what failed nor what was refused, of which it announced nothing."""
    retired = SEATS.replace("seats,", "old, status: inactive,")
    seed = {"meters": [existing("seats", "Chairs", id="mtr_s"), existing("old", "Seats")]}
    made = world(f"{SEATS}\n{CALLS}\n{retired}", seed, policy="{protect: [old]}")
    made.server.arm("500:method=POST:path=*/mtr_s")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    assert run("apply", made.folder, "--yes", "--skip-refused").code == 5
    shown = re.findall(r"applying \d changes|\d of \d changes applied", stream.getvalue())
    assert shown[0] == "applying 2 changes"
    assert shown[-1] == "1 of 2 changes applied"


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_what_is_read_is_shown_on_a_terminal(command, world, run, monkeypatch):
    """Page by page, and the line is removed at the end; --quiet hides it."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    run(command, made.folder, "--quiet")
    assert stream.getvalue() == ""
    run(command, made.folder)
    assert "\r\x1b[Ksandbox: reading meters, page 1" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_encoding_that_lacks_the_signs_gets_plain_ones(encoding, world, run, monkeypatch):
    """`→` becomes `->`; nothing fails."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    made = world(SEATS, {"meters": [existing("seats", "Ch\u0101irs", status="inactive")]})
    assert run("plan", made.folder).code == 0
    written = raw.getvalue().decode(encoding)
    assert "  ^ seats  reactivate" in written
    assert '"Ch\\u0101irs" -> "Seats"' in written


def _child(*words: object, **options):
    command = [sys.executable, "-m", "reconciler", *map(str, words)]
    return subprocess.Popen(command, text=True, **options)


def test_a_closed_pipe_loses_no_apply(world):
    """The reader of standard output is gone; the apply completes without a traceback."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    reader, writer = os.pipe()
    os.close(reader)
    child = _child("apply", made.folder, "--yes", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    _, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (0, "done: update seats\n")
    assert len(made.posts()) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize(
    "words", [["apply", "--yes"], ["apply", "--yes", "--format", "json"], ["plan"], ["validate"]]
)
def test_a_full_disk_under_standard_output_is_no_success(words, world):
    """An incomplete file must not look like a success; what was written stays written."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    with open("/dev/full", "w") as full:
        child = _child(words[0], made.folder, *words[1:], stdout=full, stderr=subprocess.PIPE)
        _, err = child.communicate(timeout=30)
    assert child.returncode == 1
    assert "standard output: error E002: cannot be written: No space left on device" in err
    assert "Traceback" not in err
    assert "Exception" not in err
    assert len(made.posts()) == (words[0] == "apply")


def test_closed_streams_lose_no_apply(world):
    """Not even all three of them."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    code = "import sys; sys.stdin = sys.stdout = sys.stderr = None\n"
    code += "from reconciler.__main__ import main; raise SystemExit(main(sys.argv[1:]))"
    child = subprocess.run([sys.executable, "-c", code, "apply", made.folder, "--yes"], timeout=30)
    assert child.returncode == 0
    assert len(made.posts()) == 1


def test_a_bug_is_reported_without_a_traceback(world, run, monkeypatch):
    """Exit 1 and a code; with -vv the traceback as well, without the key in it."""
    key = "sk_test_emulator"

    def broken(*_: object, **__: object):
        raise RuntimeError(f"while using {key}")

    monkeypatch.setattr("reconciler.fleet.work.make_plan", broken)
    made = world(SEATS)
    ran = run("plan", made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, account["diagnostics"][0]["code"]) == (1, "E900")
    assert "Traceback" not in ran.err
    for flags in (["-vv"], ["-vvv"], ["-v", "-v"]):
        verbose = run("plan", made.folder, *flags)
        assert "RuntimeError: while using [hidden]" in verbose.err
        assert key not in ran.out + ran.err + verbose.out + verbose.err


SECRETS = (
    "sk_test_emulator",
    "rk_live_51Other",
    "whsec_5WbX5kEWLlfzsGNjH64I",
    "Bearer eyJhbGciOi.J9-x_y",
    "Basic c2tfdGVzdF9hOg==",
    "hunter2hunter2",
    "glpat-0123456789",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("flag", ["--quiet", "-v", "-vv"])
def test_no_secret_is_in_a_message_a_log_or_a_traceback(flag, secret, world, run, monkeypatch):
    """Keys, credentials of a header, and the values of variables that are named as secrets."""
    monkeypatch.setenv("PROXY_PASSWORD", "hunter2hunter2")
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-0123456789")

    def broken(*_: object, **__: object):
        logging.getLogger("reconciler.any").info("sent with %s", secret)
        raise RuntimeError(f"while using {secret}")

    monkeypatch.setattr("reconciler.fleet.work.make_plan", broken)
    made = world(SEATS)
    for format_ in ("text", "json"):
        ran = run("plan", made.folder, flag, "--format", format_)
        assert secret not in ran.out + ran.err
        assert "while using [hidden]" in " ".join(ran.out.split())
        assert ("sent with [hidden]" in ran.err) is (flag != "--quiet")


@pytest.mark.parametrize("ends", [False, True])
def test_a_failing_progress_line_does_not_end_an_apply(ends, world, run, monkeypatch):
    """The terminal fails, the apply does not."""

    made = world(SEATS)
    if ends:
        monkeypatch.setattr(Console, "shows_progress", property(lambda _: True))
        monkeypatch.setattr("reconciler.cli.console.Console.show_status", fail_to_draw)
    else:
        monkeypatch.setattr("reconciler.cli.progress.ChangeProgress.show_result", fail_to_draw)
    assert run("apply", made.folder, "--yes").code == 0
    journal = (made.folder / ".reconciler" / "journal.jsonl").read_text("utf-8")
    assert [json.loads(line)["kind"] for line in journal.splitlines()][-2:] == ["result", "end"]


def fail_to_draw(*_: object) -> None:
    raise RuntimeError("no such terminal")


def test_a_bug_while_writing_exits_5(world, run, monkeypatch):
    """Something may have been written; the report has the planned changes."""

    def broken(*_: object, **__: object):
        raise RuntimeError("boom")

    monkeypatch.setattr("reconciler.fleet.apply_account.apply_plan", broken)
    made = world(SEATS)
    ran = run("apply", made.folder, "--yes", "--format", "json")
    assert ran.code == 5
    (account,) = held(ran.out)["accounts"]
    assert [diagnostic["code"] for diagnostic in account["diagnostics"]] == ["E900"]
    assert [change["event_name"] for change in account["changes"]] == ["seats"]


def test_a_renderer_that_fails_still_leaves_one_document(world, run, monkeypatch):
    """The error is a document of its own."""
    made = world(SEATS)

    def broken(*_: object):
        raise RuntimeError("boom")

    monkeypatch.setattr("reconciler.render.json.report._render_account", broken)
    ran = run("plan", made.folder, "--format", "json")
    assert (ran.code, held(ran.out)["diagnostics"][0]["code"]) == (1, "E900")


@pytest.mark.parametrize("flag", ["-v", "-vv"])
def test_verbose_logs_requests_without_keys(flag, world, run):
    """Each with its answer and request id on standard error; standard output stays one document."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    ran = run("apply", made.folder, "--yes", flag, "--format", "json")
    held(ran.out)
    assert re.search(r"^GET /v1/billing/meters: 200, req_\w+$", ran.err, re.M)
    assert "sk_test" not in ran.err
