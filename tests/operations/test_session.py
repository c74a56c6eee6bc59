"""From an entry of the project file to a client: keys, accounts, the emulator in this process."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys

import pytest
from stripe_client.scripted import KEY, Scripted, http, in_turn, refusal

from reconciler.diagnostics.errors import AuthError, Exit, ServiceError
from reconciler.model.meter import Unreadable
from reconciler.model.project import Account
from reconciler.operations.session import connect
from reconciler.stripe.errors import AuthenticationError, ServerError

OWN = http(200, {"object": "account", "id": "acct_own"})


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
    """The variable is named, and where a key is to be had; exit 6."""
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


def test_a_malformed_key_is_refused_before_anything_is_sent(clock):
    """A key that was pasted with its line break."""
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
    """The first request is the first call's."""
    with Scripted(in_turn(OWN)) as server, session(server, clock) as opened:
        assert opened.key_livemode is False
        assert opened.account.name == "main"
    assert not server.asked


@pytest.mark.parametrize(
    ("entry", "acting_on", "requests"),
    [
        ({}, "acct_own", 1),
        ({"stripe_account": "acct_connected"}, "acct_connected", 0),
        ({"stripe_context": "acct_platform/acct_inner"}, "acct_inner", 0),
        ({"stripe_context": "acct_only"}, "acct_only", 0),
        ({"stripe_account": "acct_connected", "stripe_context": "acct_a/acct_b"}, "acct_b", 0),
    ],
)
def test_which_account_is_acted_upon(entry, acting_on, requests, clock):
    """A context supersedes a connected account, which supersedes the key's own."""
    with Scripted(in_turn(OWN)) as server, session(server, clock, **entry) as opened:
        assert opened.find_account_id() == acting_on
        assert opened.find_account_id() == acting_on
        assert len(server.asked) == requests


def test_the_own_account_is_asked_for_once_and_without_the_connected_one(clock):
    """The context stays, since an organisation's key needs it."""
    entry = {"stripe_account": "acct_2", "stripe_context": "acct_1"}
    with Scripted(in_turn(OWN)) as server, session(server, clock, **entry) as opened:
        assert opened.read_own_id() == opened.read_own_id() == "acct_own"
    assert [asked.path for asked in server.asked] == ["/v1/account"]
    headers = server.asked[0].headers
    assert (headers.get("stripe-account"), headers["stripe-context"]) == (None, "acct_1")


@pytest.mark.parametrize("status", [400, 403, 404])
def test_an_account_that_may_not_be_read(status, clock):
    """A restricted key may be refused it: that is known, not an error."""
    with Scripted(in_turn(refusal(status, "no"))) as server, session(server, clock) as opened:
        assert opened.read_own_id() == Unreadable("rak_accounts_kyc_basic_read", "no")
        assert opened.find_account_id() is None
    assert len(server.asked) == 1


@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationError), (500, ServerError)])
def test_no_answer_is_not_a_refusal(status, error, clock):
    """A key that is unknown, or a service that fails, ends the run."""
    with (
        Scripted(in_turn(refusal(status))) as server,
        session(server, clock) as opened,
        pytest.raises(error),
    ):
        opened.read_own_id()


# The emulator


@pytest.mark.parametrize("livemode", [False, True])
def test_an_emulator_in_this_process(livemode, tmp_path, clock):
    """Seeded where its file does not exist, kept there for the next run; no key is needed."""
    seed, state = tmp_path / "seed.json", tmp_path / "kept" / "state.json"
    meter = {"event_name": "a", "display_name": "A", "default_aggregation": {"formula": "sum"}}
    seed.write_text(json.dumps({"account": {"livemode": livemode}, "meters": [meter]}))
    account = Account("local", emulator=str(state), seed=str(seed), rate_limit=None)
    with connect(account, environ={}, clock=clock) as opened:
        assert opened.key_livemode is livemode
        (existing,) = opened.meters.list_all()
        assert existing.livemode is livemode
        opened.client.update(existing.id, display_name="B")
        assert opened.find_account_id() == opened.read_own_id()
    with connect(account, environ={}, clock=clock) as opened:
        assert [existing.display_name for existing in opened.meters.list_all()] == ["B"]
        assert [event.type for event in opened.events.all()] == ["billing.meter.updated"]
        assert opened.prices.all() == ()


@pytest.mark.parametrize("broken", ["state", "seed", "folder"])
def test_an_emulator_that_cannot_start(broken, tmp_path, clock):
    """A clear error, which names the file."""
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
    """Importing the client costs neither requests nor the emulator."""
    code = (
        "import sys, reconciler.operations.session, reconciler.stripe.async_client;"
        "print({'requests', 'urllib3', 'reconciler.emulator'} & set(sys.modules))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.stdout.strip() == "set()", child.stderr


def test_the_public_api_is_listed_and_documented():
    """`dir()` and `help()` show it before anything is imported, and no environment variable."""
    import reconciler

    assert set(reconciler.__all__) <= set(dir(reconciler))
    for name in reconciler.__all__:
        assert getattr(reconciler, name).__doc__
    signature = str(inspect.signature(reconciler.connect))
    assert "environ" in signature
    assert all(value not in signature for value in os.environ.values() if len(value) > 8)
