"""Talks HTTP to a running emulator by hand."""

import http.client
import json
import socket

from emulator.asking import METERS

KEY = {"Authorization": "Bearer sk_test_emulator"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def opened(server):
    """A connection to a server; close it."""
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)


def ask(connection, method="GET", path=METERS, body=None, **headers):
    """Status, headers and parsed body of one request."""
    connection.request(method, path, body, KEY | FORM | headers)
    response = connection.getresponse()
    text = response.read()
    return response.status, response.headers, json.loads(text) if text else None


def raw(server, *parts, shut=True):
    """Everything that the server says to these bytes, until it ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as talk:
        for part in parts:
            talk.sendall(part)
        if shut:
            talk.shutdown(socket.SHUT_WR)
        said = b""
        while more := talk.recv(65536):
            said += more
    return said


def head(method="POST", path=METERS, **headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Authorization: Bearer sk_test_1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
