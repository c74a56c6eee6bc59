"""The main thread waits for other threads a while at a time: a signal is handled in between."""

from __future__ import annotations

from concurrent.futures import Future
from queue import SimpleQueue

import pytest

from reconciler.threads import LONGEST_WAIT, take, wait_for


def test_a_result_is_waited_for_a_while_at_a_time(monkeypatch):
    """A signal that arrives just before a wait begins does not interrupt it."""
    future, waits = Future(), []

    def wait(seconds=None):
        waits.append(seconds)
        if len(waits) == 3:
            future.set_result("done")
        raise TimeoutError

    monkeypatch.setattr(future, "exception", wait)
    assert (wait_for(future), waits) == ("done", [LONGEST_WAIT] * 3)


def test_a_result_is_not_waited_for_after_the_time_given():
    with pytest.raises(TimeoutError, match="too long"):
        wait_for(Future(), 0.001)


def test_the_error_of_a_thread_is_raised():
    """Also one that looks like the end of a wait."""
    future = Future()
    future.set_exception(TimeoutError("theirs"))
    with pytest.raises(TimeoutError, match="theirs"):
        wait_for(future)


def test_an_entry_is_waited_for_a_while():
    queue = SimpleQueue()
    assert take(queue, 0.001) is None
    queue.put("entry")
    assert take(queue) == "entry"
