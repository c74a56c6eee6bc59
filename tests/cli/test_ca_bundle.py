"""Certificate authorities from the environment: for every address, and checked before a request."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress

import pytest
from cli.world import SEATS
from stripe_client.scripted import KEY, PEM, Scripted, a_list, behind_tls, http

from reconciler.stripe.errors import StripeError
from reconciler.stripe.transport import Transport

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
HASHED = "2101a20a.0"  # the name under which OpenSSL looks for the certificate in a folder


@pytest.fixture
def bundles(tmp_path):
    """Where each variable may point to; `FILE` and `DIR` are right."""
    folder = tmp_path / "authorities"
    folder.mkdir()
    (folder / HASHED).write_text(PEM.read_text())
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.pem").write_text("no certificate\n")
    return {"FILE": PEM, "DIR": folder, "EMPTY": tmp_path / "empty", "TEXT": tmp_path / "text.pem"}


@pytest.fixture
def made(world):
    """A project whose account is behind TLS on loopback, and its server."""

    def script(asked):
        return http(200, {"id": "acct_1"} if asked.path == "/v1/account" else a_list())

    with Scripted(script).encrypt() as server:
        yield world(SEATS, api_base=server.url), server


def test_an_unknown_authority_is_not_trusted(made, run):
    project, server = made
    ran = run("plan", project.folder)
    assert (ran.code, server.asked) == (1, [])
    assert "S011" in ran.out


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "FILE") for name in VARIABLES[:3]),
        *((name, "DIR") for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")),
        *(
            ("SSL_CERT_DIR", each)
            for each in ("/nonexistent:{DIR}", "{EMPTY}:{DIR}", "{DIR}:{EMPTY}")
        ),
    ],
)
@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:9"])
def test_a_bundle_is_used_on_loopback_too(name, value, proxy, made, bundles, run, monkeypatch):
    """Only proxies are left out there."""
    project, server = made
    if proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    path = value.format(**bundles) if "{" in value else str(bundles[value])
    monkeypatch.setenv(name, path)
    ran = run("plan", project.folder)
    assert (ran.code, bool(server.asked)) == (0, True), ran.out


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({"REQUESTS_CA_BUNDLE": "FILE", "SSL_CERT_FILE": "TEXT"}, 0),
        ({"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "FILE"}, 0),
        ({"SSL_CERT_FILE": "FILE", "SSL_CERT_DIR": "EMPTY"}, 0),
        ({"CURL_CA_BUNDLE": "EMPTY", "SSL_CERT_FILE": "FILE"}, 1),
    ],
)
def test_the_first_variable_counts(environ, code, made, bundles, run, monkeypatch):
    project, _ = made
    for name, value in environ.items():
        monkeypatch.setenv(name, str(bundles.get(value, value)))
    assert run("plan", project.folder).code == code


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize(
    ("value", "why"),
    [("/nonexistent/ca.pem", "does not exist"), ("TEXT", "holds no certificate in PEM format")],
)
def test_an_unusable_bundle_is_named_at_once(
    name, value, why, made, bundles, run, monkeypatch, clock
):
    """Without a request, an attempt or a wait."""
    project, server = made
    path = str(bundles.get(value, value))
    monkeypatch.setenv(name, path)
    ran = run("plan", project.folder, "--format", "json")
    (account,) = json.loads(ran.out)["accounts"]
    (said,) = account["diagnostics"]
    assert (ran.code, said["code"], server.asked, clock.slept) == (1, "S013", [], [])
    assert said["message"] == f"{name} is {path!r}, which {why}"


def test_a_bundle_is_not_needed_without_tls(world, run, monkeypatch):
    """The emulator on loopback speaks plain HTTP."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/ca.pem")
    assert run("plan", world(SEATS).folder).code == 0


def test_a_bundle_is_used_for_a_proxy_behind_tls(clock, monkeypatch):
    """The key is sent through a tunnel, which the proxy is asked for."""
    asked = []

    def serve(listener):
        context = behind_tls()
        with suppress(OSError):  # the listener is closed, or the authority is not trusted
            while True:
                with context.wrap_socket(listener.accept()[0], server_side=True) as connected:
                    asked.append(connected.recv(4096))
                    connected.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(PEM))
        with (
            Transport(KEY, api_base="https://api.example", clock=clock) as transport,
            pytest.raises(StripeError),
        ):
            transport.get("/v1/account")
    assert asked
    assert asked[0].startswith(b"CONNECT api.example:443 ")
    assert not any(KEY.encode() in each for each in asked)
