"""Serve the emulator on one address: threads, connections and the clock."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, Self

from msgspec import Struct

from .errors import SettingError
from .handle_request import Ticket, begin, edit, finish
from .http_server import HOST, HttpServer
from .messages import Json, Phase, Request, Response
from .request_log import Level, LogLine, RequestLog
from .requests.faults import Fault
from .settings import Settings
from .state import Answer, State
from .storage.database import Store

LONGEST_ADVANCE = 100 * 366 * 24 * 3600.0
"""Seconds by which the clock can be moved at once."""


class Clock(Protocol):
    """The clock of the emulator; one of a test need not wait."""

    def now(self) -> float:
        """Unix seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Reached(Struct, frozen=True):
    """The moment just before or just after the effect of a request, its answer not yet sent.

    A request that is refused, replayed or dropped has the moments, but no effect between them.
    """

    number: int
    phase: Phase
    request: Request


class Server:
    """Serves one account on `http://host:port` (0: a free one) between `with` and its end.

    `reached` is called in the thread of the request at either side of its effect, and may
    block, kill a process or make an `edit`; `on_log` receives a line for each request. Use
    `state` only while holding `lock`. Raises OSError when the address cannot be used.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings | None = None,
        faults: Iterable[Fault] = (),
        clock: Clock | None = None,
        port: int = 0,
        reached: Callable[[Reached], None] | None = None,
        host: str = HOST,
        on_log: Callable[[LogLine], None] | None = None,
    ) -> None:
        self.store = store
        self.state = State(store.ledger, settings, faults, store.connected.values())
        self.log = RequestLog()
        self.lock = threading.Lock()
        self.reached = reached or (lambda moment: None)
        self._closing = threading.Event()
        self.clock: Clock = clock or _SystemClock(self._closing)
        self.on_log = on_log or (lambda line: None)
        self._address = (host, port)
        self._http: HttpServer | None = None

    @property
    def port(self) -> int:
        """The port that is served."""
        assert self._http, "the server has not been started"
        return self._http.server_port

    @property
    def url(self) -> str:
        """Where the API is, without a slash at the end."""
        assert self._http, "the server has not been started"
        return self._http.url

    @property
    def api_key(self) -> str:
        """A key that the account accepts: the first of those listed, else one of its mode."""
        listed = [key for key in self.state.settings.keys if not key.expired]
        mode = "live" if self.state.ledger.account.livemode else "test"
        return listed[0].secret if listed else f"sk_{mode}_emulator"

    def start(self) -> None:
        """Start serving."""
        host, port = self._address
        self._http = HttpServer(host, port, self.exchange, self._log_refusal, self.now)

    def close(self) -> None:
        """Stop serving: end what waits, answer requests in progress."""
        self._closing.set()
        if self._http:
            self._http.close()
            self._http = None

    def now(self) -> float:
        """Unix seconds of the account, which may be ahead of the clock."""
        return self.clock.now() + self.state.ledger.clock_offset

    def advance(self, seconds: float) -> float:
        """Move the clock of the account forward, and return its time; a restart keeps it.

        What takes time happens as if it had passed: replies and identifiers expire, delayed
        reports appear, usage becomes too old. Raises SettingError for a negative number.
        """
        if not 0 <= seconds <= LONGEST_ADVANCE:
            raise SettingError(f"the clock cannot be moved by {seconds:g} seconds, only forward")
        with self.lock:
            offset = self.state.ledger.clock_offset + seconds
            self.state.ledger.store({"clock": [{"id": "offset", "seconds": offset}]})
            return self.now()

    def arm(self, *faults: Fault | str) -> None:
        """Activate faults; those given as text may raise SettingError."""
        parsed = [Fault.parse(f) if isinstance(f, str) else f for f in faults]
        with self.lock:
            for fault in parsed:
                self.state.arm(fault)

    def disarm(self) -> None:
        """Deactivate every fault."""
        with self.lock:
            self.state.disarm()

    def edit(
        self, path: str, params: Mapping[str, Any] | None = None, account: str | None = None
    ) -> Json:
        """Make a POST as the dashboard does: its events name neither request nor key.

        `params` nests as the API's objects do; `account` is the id of a connected account.
        Raises RequestError when it is refused.
        """
        with self.lock:
            return edit(self.state, path, params or {}, self.now(), account)

    def reset(self) -> None:
        """Replace the state by that of the seed, which is read again; raises as `open_state`.

        Requests in progress get a 500 and change nothing.
        """
        with self.lock:
            self.store.replace(*self.store.reload())
            self.state.load(self.store.ledger, *self.store.connected.values())

    def exchange(self, request: Request) -> Response | None:
        """Answer a request; None when the connection is to be reset."""
        with self.lock:
            answer = begin(self.state, request, self.now())
        number = answer.arrival.number
        self.reached(Reached(number, Phase.BEFORE, request))
        if isinstance(answer, Ticket):
            self._sleep(answer.delay)
            with self.lock:
                answer = finish(self.state, answer, self.now())
        self._log(answer)
        self.reached(Reached(number, Phase.AFTER, request))
        self._sleep(answer.delay)
        return answer.response

    def _log(self, answer: Answer) -> None:
        """Log an answer, and the exception inside the emulator that it is about, if any."""
        entry = self.log.add(answer)
        self.on_log(LogLine(Level.REQUEST, str(entry)))
        if answer.error:
            text = f"{entry.request_id}: {type(answer.error).__name__}: {answer.error}"
            details = "".join(traceback.format_exception(answer.error))
            self.on_log(LogLine(Level.FAILURE, text, details))

    def _log_refusal(self, status: int, message: str) -> None:
        """Log what is no request of the API."""
        self.on_log(LogLine(Level.REFUSAL, f"{status} {message}"))

    def _sleep(self, seconds: float) -> None:
        if seconds:
            self.clock.sleep(seconds)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _SystemClock:
    """Real time, whose sleep ends when the server closes."""

    def __init__(self, closing: threading.Event) -> None:
        self._closing = closing

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait, at most until the server closes."""
        self._closing.wait(seconds)
