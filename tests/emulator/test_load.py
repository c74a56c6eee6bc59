"""The emulator under load: many requests at once, kills amid writes, clients that never finish."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import pytest
from emulator.client import FORM, KEY, METERS, Connection, form, head, meter

from reconciler.emulator import Server, open_state

PARALLEL, NAMES = 600, 200
HALF_OPEN = 300
KILLS, WRITERS = 5, 4


@pytest.mark.full
def test_six_hundred_parallel_posts(tmp_path):
    """Each is answered; of three for each event_name one succeeds, with one event, and is kept."""
    path = tmp_path / "state.db"
    start = threading.Barrier(PARALLEL)

    def create(number):
        connection = Connection(server)
        connection.http.timeout = 60
        connection.http.connect()
        start.wait(60)
        response = connection.post(key=f"k{number}", **meter(f"m{number % NAMES}"))
        connection.close()
        return response.status, response.headers["Request-Id"]

    with open_state(path) as store, Server(store) as server:
        with ThreadPoolExecutor(PARALLEL) as pool:
            answers = list(pool.map(create, range(PARALLEL)))
        assert len(server.log) == PARALLEL
    assert Counter(status for status, _ in answers) == {200: NAMES, 400: PARALLEL - NAMES}
    assert len({request_id for _, request_id in answers}) == PARALLEL
    with open_state(path) as store:
        names = {each["event_name"] for each in store.ledger.meters.values()}
        assert len(names) == len(store.ledger.meters) == len(store.ledger.events) == NAMES
        assert len(store.ledger.replies) == PARALLEL


def test_three_hundred_half_open_clients(server):
    """They do not hold up other clients, and are no reason to wait when the server closes."""
    starts = (b"", b"POST", head(Content_Length=10) + b"x", head(Transfer_Encoding="chunked"))
    clients = []
    for number in range(HALF_OPEN):
        client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        client.sendall(starts[number % len(starts)])
        clients.append(client)
    connection = Connection(server)
    for number in range(20):
        assert connection.post(**meter(f"m{number}")).status == 200
    connection.close()
    server.close()
    for client in clients:
        with client, contextlib.suppress(ConnectionResetError):
            while client.recv(4096):  # a 400 to half of a line, then the end
                pass
    assert len(server.store.ledger.meters) == len(server.log) == 20


class Emulator:
    """A process of the command; a kill leaves it no moment to put anything in order."""

    def __init__(self, path):
        command = [sys.executable, "-m", "reconciler", "emulate", "--port", "0", "--state", path]
        self.process = subprocess.Popen(
            [*command, "--format", "json"], stdout=subprocess.PIPE, text=True
        )
        text = ""
        while not text.endswith("\n}\n"):
            line = self.process.stdout.readline()
            assert line, text
            text += line
        self.port = urlsplit(json.loads(text)["url"]).port

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def write(self, names, acknowledged, enough):
        """Create meters until the emulator is gone; note each that it has acknowledged."""
        http = HTTPConnection("127.0.0.1", self.port, timeout=30)
        for name in names:
            try:
                http.request("POST", METERS, form(meter(name)), KEY | FORM)
                answer = http.getresponse()
                body = json.load(answer)
            except (OSError, HTTPException, ValueError):
                break
            assert answer.status == 200
            acknowledged[name] = body["id"]
            enough.release()
        http.close()


@pytest.mark.full
def test_five_kills_amid_writes_lose_nothing_that_was_acknowledged(tmp_path):
    """And leave nothing half done: each meter has its event."""
    path, acknowledged = tmp_path / "state.db", {}
    for kill in range(KILLS):
        emulator = Emulator(path)
        enough = threading.Semaphore(0)
        names = [[f"m{kill}_{writer}_{n}" for n in range(10_000)] for writer in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS) as pool:
            writing = [pool.submit(emulator.write, each, acknowledged, enough) for each in names]
            for _ in range(40 + 7 * kill):
                assert enough.acquire(timeout=30)
            emulator.kill()
            wait(writing)
        for each in writing:
            each.result()
    with open_state(path) as store:
        kept = {each["event_name"]: each["id"] for each in store.ledger.meters.values()}
        assert kept.items() >= acknowledged.items()
        assert len(kept) == len(store.ledger.meters) <= len(acknowledged) + KILLS * WRITERS
        about = {each["data"]["object"]["id"] for each in store.ledger.events.values()}
        assert about == set(kept.values())
