"""Start threads: the end of the process does not wait for them, and they receive no signals."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future
    from queue import SimpleQueue

T = TypeVar("T")

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that end a run."""

LONGEST_WAIT = 0.5
"""Seconds that the main thread waits at a time.

A signal that arrives just before a wait begins does not interrupt it, and is handled after it.
"""


@contextmanager
def block_signals() -> Iterator[None]:
    """Block the signals that end a run; threads that are started here never receive one.

    The system gives a signal to any thread that does not block it, if the main one has yet to
    handle another; then nothing would interrupt what the main thread waits for.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def enter_blocking_signals(context: AbstractContextManager[T]) -> Iterator[T]:
    """Enter a context; threads that it starts then never receive a signal that ends a run."""
    with ExitStack() as stack:
        with block_signals():
            entered = stack.enter_context(context)
        yield entered


def start_thread(work: Callable[[], T]) -> Future[T]:
    """Begin work that the end of the process need not wait for; where no thread starts, do it."""
    from concurrent.futures import Future  # which few commands need

    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    try:
        with block_signals():
            threading.Thread(target=run, daemon=True).start()
    except RuntimeError:
        run()
    return future


def wait_for(future: Future[T], seconds: float = math.inf) -> T:
    """Return the result of a future, or raise its error; signals are handled meanwhile.

    Raises TimeoutError if it has none after so many seconds.
    """
    ends = time.monotonic() + seconds
    while not future.done():
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the thread takes too long")
        with suppress(TimeoutError):
            future.exception(min(left, LONGEST_WAIT))
    return future.result()


def take(queue: SimpleQueue[T], seconds: float = LONGEST_WAIT) -> T | None:
    """Return the next entry of a queue, None if there is none for so many seconds."""
    from queue import Empty

    try:
        return queue.get(timeout=seconds)
    except Empty:
        return None
