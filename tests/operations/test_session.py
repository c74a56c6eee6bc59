"""Sessions: API keys, account ids, the emulator in this process, the public API."""

from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from stripe_client.scripted import KEY, Scripted, http, in_turn, refusal

from reconciler.diagnostics.errors import AuthError, Exit, ServiceError
from reconciler.emulator import messages, settings
from reconciler.fleet.work import Surroundings
from reconciler.model.meter import Unreadable
from reconciler.model.project import Account, UnreadFile
from reconciler.operations.session import connect
from reconciler.stripe.errors import AuthenticationError, ServerError

OWN = http(200, {"object": "account", "id": "acct_own"})

SECRET = "planted_secret_1234"


def session(server, clock, **entry):
    account = Account("main", api_key_env="THE_KEY", api_base=server.url, **entry)
    return connect(account, environ={"THE_KEY": KEY}, clock=clock)


@pytest.mark.parametrize(
    ("environ", "entry", "texts"),
    [
        ({}, {}, ["STRIPE_API_KEY is not set"]),
        ({"STRIPE_API_KEY": ""}, {}, ["STRIPE_API_KEY is empty"]),
        ({"STRIPE_API_KEY": KEY}, {"api_key_env": "LIVE_KEY"}, ["LIVE_KEY is not set"]),
    ],
)
def test_a_missing_key(environ, entry, texts, clock):
    """The error names the variable, and where to get a key; exit 6."""
    with (
        pytest.raises(AuthError) as caught,
        connect(Account("main", **entry), environ=environ, clock=clock),
    ):
        pass
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.code == "S001"
    assert caught.value.exit_code == Exit.DENIED
    assert all(text in diagnostic.message for text in [*texts, "'main'"])
    assert "https://dashboard.stripe.com/apikeys" in diagnostic.hint


def test_a_key_with_a_line_break_is_rejected_before_anything_is_sent(clock):
    environ = {"STRIPE_API_KEY": KEY + "\n"}
    with (
        Scripted(in_turn(OWN)) as server,
        pytest.raises(AuthError) as caught,
        connect(Account("main", api_base=server.url), environ=environ, clock=clock),
    ):
        pass
    assert caught.value.diagnostics[0].code == "S002"
    assert "the API key in STRIPE_API_KEY holds a space or a line break" in str(caught.value)
    assert "set STRIPE_API_KEY to" in str(caught.value)
    assert KEY not in str(caught.value)
    assert not server.asked


def test_connecting_sends_nothing(clock):
    with Scripted(in_turn(OWN)) as server, session(server, clock) as opened:
        assert opened.key_livemode is False
        assert opened.account.name == "main"
    assert not server.asked


@pytest.mark.parametrize(
    ("entry", "account_id", "requests"),
    [
        ({}, "acct_own", 1),
        ({"stripe_account": "acct_connected"}, "acct_connected", 0),
        ({"stripe_context": "acct_platform/acct_inner"}, "acct_inner", 0),
        ({"stripe_context": "acct_only"}, "acct_only", 0),
        ({"stripe_account": "acct_connected", "stripe_context": "acct_a/acct_b"}, "acct_b", 0),
    ],
)
def test_the_account_that_requests_act_on(entry, account_id, requests, clock):
    """A context supersedes a connected account, which supersedes the key's own."""
    with Scripted(in_turn(OWN)) as server, session(server, clock, **entry) as opened:
        assert opened.find_account_id() == opened.find_account_id() == account_id
        assert len(server.asked) == requests


def test_the_account_of_the_key_is_read_once_and_without_the_connected_one(clock):
    """The context stays, since the key of an organization needs it."""
    entry = {"stripe_account": "acct_2", "stripe_context": "acct_1"}
    with Scripted(in_turn(OWN)) as server, session(server, clock, **entry) as opened:
        assert opened.read_own_id() == opened.read_own_id() == "acct_own"
    assert [request.path for request in server.asked] == ["/v1/account"]
    headers = server.asked[0].headers
    assert (headers.get("stripe-account"), headers["stripe-context"]) == (None, "acct_1")


@pytest.mark.parametrize("status", [400, 403, 404])
def test_an_account_that_a_restricted_key_may_not_read_is_no_error(status, clock):
    with Scripted(in_turn(refusal(status, "no"))) as server, session(server, clock) as opened:
        assert opened.read_own_id() == Unreadable("rak_accounts_kyc_basic_read", "no")
        assert opened.find_account_id() is None
    assert len(server.asked) == 1


DENIED = (
    "The provided key 'rk_test_***' does not have the required permissions for this endpoint on "
    "account 'acct_own'. Having the `rak_accounts_kyc_id_numbers_read` permission would allow it."
)


@pytest.mark.parametrize(
    ("answer", "entry", "own"),
    [
        (refusal(403, DENIED), {}, "acct_own"),
        (refusal(403, DENIED), {"stripe_account": "acct_2"}, "acct_own"),
        (refusal(403, DENIED + " See acct_own."), {}, "acct_own"),
        (refusal(403, DENIED), {"account_id": None}, None),
        (refusal(403, DENIED), {"stripe_context": "acct_1"}, None),
        (refusal(403, DENIED + " Or acct_2."), {}, None),
        (refusal(403, DENIED, code="account_invalid"), {}, None),
        (refusal(404, DENIED), {}, None),
        (refusal(400, DENIED), {}, None),
    ],
)
def test_a_refusal_names_the_account_of_a_restricted_key(answer, entry, own, clock):
    """Only where nothing else than the key decides which account it is."""
    facts = {"account_id": "acct_own", **entry}
    with Scripted(in_turn(answer)) as server, session(server, clock, **facts) as opened:
        found = opened.read_own_id()
    assert found == own if own else isinstance(found, Unreadable)
    assert "stripe-account" not in server.asked[0].headers


@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationError), (500, ServerError)])
def test_an_unknown_key_or_a_failing_service_ends_the_run(status, error, clock):
    with (
        Scripted(in_turn(refusal(status))) as server,
        session(server, clock) as opened,
        pytest.raises(error),
    ):
        opened.read_own_id()


@pytest.mark.parametrize("livemode", [False, True])
def test_an_emulator_keeps_its_seeded_state_in_a_file(livemode, tmp_path, clock):
    """No key is needed, and no seed once the file exists."""
    seed, state = tmp_path / "seed.json", tmp_path / "kept" / "state.json"
    meter = {"event_name": "a", "display_name": "A", "default_aggregation": {"formula": "sum"}}
    seed.write_text(json.dumps({"account": {"livemode": livemode}, "meters": [meter]}))
    account = Account("local", emulator=str(state), seed=str(seed), rate_limit=None)
    with connect(account, environ={}, clock=clock) as opened:
        assert opened.key_livemode is livemode
        (existing,) = opened.meters.list_all()
        assert existing.livemode is livemode
        assert opened.find_account_id() == opened.read_own_id()
    seed.unlink()
    with connect(account, environ={}, clock=clock) as opened:
        assert opened.meters.list_all() == (existing,)
        assert (tuple(opened.events.all()), opened.prices.all_in_use(())) == ((), ())


@pytest.mark.parametrize("broken", ["state", "seed", "folder"])
def test_an_emulator_that_cannot_start(broken, tmp_path, clock):
    state, seed = tmp_path / "state.json", tmp_path / "seed.json"
    {"state": state, "seed": seed}.get(broken, tmp_path / "other").write_text("{")
    if broken == "folder":
        state = tmp_path / "other" / "state.json"
    account = Account("local", emulator=str(state), seed=str(seed) if broken == "seed" else None)
    with (
        pytest.raises(ServiceError) as caught,
        connect(account, environ={}, clock=clock),
    ):
        pass
    assert caught.value.diagnostics[0].code == "E001"
    assert str(seed if broken == "seed" else state) in str(caught.value)


def test_heavy_packages_are_imported_when_they_are_needed():
    code = (
        "import sys, reconciler.operations.session, reconciler.stripe.async_client;"
        "print({'requests', 'urllib3', 'reconciler.emulator'} & set(sys.modules))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.stdout.strip() == "set()", child.stderr


def test_the_public_api_is_listed_and_documented():
    """Before anything is imported, and without values of the environment."""
    import reconciler

    assert set(reconciler.__all__) <= set(dir(reconciler))
    for name in reconciler.__all__:
        assert getattr(reconciler, name).__doc__
    signature = str(inspect.signature(reconciler.connect))
    assert "environ" in signature
    assert all(value not in signature for value in os.environ.values() if len(value) > 8)


def test_no_documentation_shows_the_environment():
    """A default argument is evaluated at import, and printed by `help()` and pydoc."""
    not_imported = ["reconciler.__main__"]
    if find_spec("distributed") is None:
        not_imported += ["reconciler.fleet.dask_cluster", "reconciler.fleet.dask_connection"]
    code = (
        "import importlib, inspect, pkgutil, pydoc, reconciler\n"
        "names = [m.name for m in pkgutil.walk_packages(reconciler.__path__, 'reconciler.')]\n"
        f"modules = [importlib.import_module(n) for n in names if n not in {not_imported!r}]\n"
        "print(len(modules), repr(inspect.signature(reconciler.connect)))\n"
        "public = [getattr(reconciler, name) for name in reconciler.__all__]\n"
        "for one in (reconciler, *modules, *filter(callable, public)):\n"
        "    print(pydoc.render_doc(one, renderer=pydoc.plaintext))\n"
    )
    secret = {"PLANTED_VARIABLE": "planted-value-1234"}
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **secret}
    )
    assert child.returncode == 0, child.stderr
    assert int(child.stdout.split()[0]) > 100
    assert "connect(" in child.stdout
    assert not any(word in child.stdout for pair in secret.items() for word in pair)


@pytest.mark.parametrize(
    "noun",
    [
        UnreadFile("meters.yaml", SECRET),
        settings.Key(SECRET),
        messages.Request("GET", "/v1/account", headers={"authorization": SECRET}),
        Surroundings(environ={"STRIPE_API_KEY": SECRET}),
    ],
    ids=lambda noun: type(noun).__name__,
)
def test_no_noun_shows_a_secret(noun):
    """Its repr reaches logs, as of the arguments of a task that fails."""
    assert SECRET not in repr(noun)


def test_no_default_argument_reads_the_environment():
    """Nor that of a private function or a lambda, which no documentation shows."""
    import reconciler

    for path in Path(reconciler.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                given = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
                shown = " ".join(map(ast.unparse, given))
                assert "environ" not in shown, f"{path}:{node.lineno}"
                assert "getenv" not in shown, f"{path}:{node.lineno}"
