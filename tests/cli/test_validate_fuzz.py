"""`validate` over whatever is in the files: exit 0 or 1, one document, no traceback, no hang."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from config.test_loader_fuzz import PIECES, TREES
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.__main__ import main
from reconciler.diagnostics.codes.environment import BUG
from reconciler.render import FORMATS

LONGEST = 10  # seconds that any of these files may take

_VERSIONED = st.fixed_dictionaries(
    {"version": st.just(1)},
    optional={"meters": TREES, "defaults": TREES, "accounts": TREES, "policy": TREES},
)
SOUND = """version: 1
meters:
  - event_name: calls
    display_name: Calls
    default_aggregation: {formula: sum}
    event_time_window: hour
    retires: [mtr_1]
"""


def damaged(at: int, length: int, piece: str) -> bytes:
    """A sound file with one spot overwritten; a few such spots leave it sound."""
    return f"{SOUND[:at]}{piece}{SOUND[at + length :]}".encode("utf-8", "surrogatepass")


FILES = (
    st.builds(damaged, st.integers(0, len(SOUND)), st.integers(0, 9), PIECES)
    | st.binary(max_size=200)
    | st.lists(PIECES, max_size=30).map(lambda some: "".join(some).encode("utf-8", "surrogatepass"))
    | (TREES | _VERSIONED).map(lambda tree: yaml.safe_dump(tree).encode("utf-8", "replace"))
)


class Hung(BaseException):
    """It took too long: nothing may catch this."""


@contextmanager
def alarm() -> Iterator[None]:
    """Ends what hangs."""

    def ring(*_: object) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def called(*words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command line, run in here."""
    out, err = io.StringIO(), io.StringIO()
    with alarm(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    return code, out.getvalue(), err.getvalue()


@example(meters=SOUND.encode(), project=None, name="text")
@given(meters=FILES, project=st.none() | FILES, name=st.sampled_from(FORMATS))
def test_any_files(meters, project, name):
    """In every format, with `-v` too."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "m.yaml").write_bytes(meters)
        if project is not None:
            (folder / "reconciler.yaml").write_bytes(project)
        code, out, err = called("validate", folder, "--format", "json")
        report = json.loads(out)
        assert code in (0, 1)
        assert report["exit_code"] == code
        assert BUG.code not in {diagnostic["code"] for diagnostic in report["diagnostics"]}
        assert (code == 1) is any(each["level"] == "error" for each in report["diagnostics"])
        again, text, log = called("validate", folder, "--format", name, "-v")
        assert again == code
        assert BUG.code not in text
        assert "Traceback" not in out + err + text + log


@given(FILES)
def test_any_one_file(data):
    """Named on the command line, whatever it is."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "m.yaml"
        path.write_bytes(data)
        code, out, _ = called("validate", path, "--format", "json")
        assert code in (0, 1)
        assert BUG.code not in {diagnostic["code"] for diagnostic in json.loads(out)["diagnostics"]}
