"""A loopback port with a thread for each connection, all of which end when it closes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

HOST = "127.0.0.1"

PATIENCE = 5.0
"""Seconds that closing waits for requests under way."""


class Listener:
    """Accepts connections on `port` (0: a free one); raises OSError when it is taken."""

    def __init__(self, port: int, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._closing = False
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._socket = socket.create_server((HOST, port), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Accept no more, let requests under way be answered, end idle connections."""
        self._closing = True
        with contextlib.suppress(OSError):  # wakes the accepting thread
            socket.create_connection((HOST, self.port), timeout=1).close()
        self._accepting.join()
        self._socket.close()
        with self._lock:
            open_now = dict(self._connections)
        for connection in open_now.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        for thread in open_now:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if self._closing:
                    return
                continue
            if self._closing:
                connection.close()
                return
            thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
            with self._lock:
                self._connections[thread] = connection
            thread.start()

    def _run(self, connection: socket.socket) -> None:
        """Serve one connection; a client that hangs up is nobody's failure."""
        try:
            with connection, contextlib.suppress(OSError):
                self._serve(connection)
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)
