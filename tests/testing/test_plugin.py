"""The pytest plugin, used by the tests of an application as its users write them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TESTS as OURS

ROOT = OURS.parent

METERS = """version: 1
meters:
  - {event_name: ai_search_calls, display_name: Calls, default_aggregation: {formula: sum}}
  - {event_name: seats, display_name: Seats, default_aggregation: {formula: count}}
  - {event_name: storage, display_name: Storage, default_aggregation: {formula: last}}
  - {event_name: old, display_name: Old, default_aggregation: {formula: sum}, status: inactive}
"""
TESTS = """
import stripe

import pytest


@pytest.fixture
def client(stripe_meters):
    return stripe.StripeClient(stripe_meters.api_key, base_addresses=stripe_meters.base_addresses)


@pytest.fixture
def send(client):
    def send(name, payload, **more):
        params = {"event_name": name, "payload": payload, **more}
        client.v1.billing.meter_events.create(params)
    return send


def test_good(stripe_meters, send):
    for value in ("3", "4"):
        send("ai_search_calls", {"stripe_customer_id": "cus_1", "value": value})
    send("ai_search_calls", {"stripe_customer_id": "cus_2", "value": "1"}, identifier="once")
    send("seats", {"stripe_customer_id": "cus_1"})
    send("seats", {"stripe_customer_id": "cus_1"})
    for value in ("10", "2"):
        send("storage", {"stripe_customer_id": "cus_1", "value": value})
    assert stripe_meters.totals("ai_search_calls") == {"cus_1": 7, "cus_2": 1}
    assert stripe_meters.totals("seats") == {"cus_1": 2}
    assert stripe_meters.totals("storage") == {"cus_1": 2}
    (event,) = [e for e in stripe_meters.sent("ai_search_calls") if e.identifier == "once"]
    assert event.payload["stripe_customer_id"] == "cus_2"


def test_each_test_begins_anew(stripe_meters):
    assert stripe_meters.sent() == []


def test_v2_and_a_stream(stripe_meters, client):
    params = {"event_name": "seats", "payload": {"stripe_customer_id": "cus_1"}}
    client.v2.billing.meter_events.create(params)
    session = client.v2.billing.meter_event_session.create()
    addresses = stripe_meters.base_addresses
    other = stripe.StripeClient(session.authentication_token, base_addresses=addresses)
    other.v2.billing.meter_event_stream.create({"events": [params, params]})
    assert stripe_meters.totals("seats") == {"cus_1": 3}


def test_misspelt(send):
    send("ai_search_call", {"stripe_customer_id": "cus_1", "value": "1"})


def test_no_customer(send):
    send("ai_search_calls", {"customer_id": "cus_1", "value": "1"})


def test_no_value(send):
    send("ai_search_calls", {"stripe_customer_id": "cus_1", "amount": "1"})


def test_bad_value(send):
    send("ai_search_calls", {"stripe_customer_id": "cus_1", "value": "1.5 calls"})


def test_retired(send):
    send("old", {"stripe_customer_id": "cus_1", "value": "1"})


def test_too_old(send):
    send("storage", {"stripe_customer_id": "cus_1", "value": "1"}, timestamp=1_000_000_000)


def test_on_purpose(stripe_meters, send):
    send("nothing_like_it", {"stripe_customer_id": "cus_1"})
    (problem,) = stripe_meters.find_problems()
    assert problem.endswith("declared: ai_search_calls, old, seats, storage")
    assert stripe_meters.find_problems() == [problem]
    with pytest.raises(KeyError, match="did you mean 'seats'"):
        stripe_meters.totals("seat")


def test_one_on_purpose_and_one_later(stripe_meters, send):
    send("nothing_like_it", {"stripe_customer_id": "cus_1"})
    assert stripe_meters.find_problems()
    send("seat", {"stripe_customer_id": "cus_1"})


def test_its_own_failure_comes_first(send):
    send("seat", {"stripe_customer_id": "cus_1"})
    assert False, "mine"
"""
FAILURES = {
    "misspelt": "no declared meter has this event_name; did you mean 'ai_search_calls'?",
    "no_customer": "the payload has no 'stripe_customer_id', the key of the customer; did you mean",
    "no_value": "the payload has no 'value', the key of the value; it has 'amount'",
    "bad_value": "Invalid value for key value: 1.5 calls is not a whole number.",
    "retired": "The meter of event_name old is archived. (archived_meter)",
    "one_on_purpose_and_one_later": "'seat': no declared meter has this event_name; did you mean",
    "too_old": "The timestamp is more than 35 days ago. (timestamp_too_far_in_past)",
}


def run_pytest(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with ours only; importing all installed plugins is more than half of its start."""
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **more}
    plugins = ["-p", "reconciler.testing.plugin", "-p", "no:randomly", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environ)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest prints of an application with good and bad tests, beside other plugins."""
    folder = tmp_path_factory.mktemp("application")
    (folder / "billing").mkdir()
    (folder / "billing" / "meters.yaml").write_text(METERS, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nreconciler_project = billing\n")
    (folder / "test_application.py").write_text(TESTS)
    done = run_pytest(folder, "-rA", PYTEST_DISABLE_PLUGIN_AUTOLOAD="")
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_usage_that_counts_passes(ran):
    passed = {line.split("::")[1] for line in ran.splitlines() if line.startswith("PASSED ")}
    assert passed == {
        "test_good",
        "test_each_test_begins_anew",
        "test_v2_and_a_stream",
        "test_on_purpose",
    }


@pytest.mark.parametrize("name", FAILURES)
def test_usage_that_is_lost_fails_the_test_that_sent_it(name, ran):
    """With what is wrong with it, and without a traceback of the plugin."""
    block = ran.split(f"_ test_{name} _")[1].split("\n____")[0]
    assert "usage was sent that Stripe would not count:" in block
    assert FAILURES[name] in block
    assert "plugin.py" not in block


def test_a_failure_of_the_test_itself_is_not_hidden(ran):
    """It comes first, and may be due to what follows."""
    block = ran.split("_ test_its_own_failure_comes_first _")[1].split("\n____")[0]
    own, hint = block.index("AssertionError: mine"), block.index("Stripe would not count:")
    assert own < hint
    assert "'seat': no declared meter has this event_name; did you mean 'seats'?" in block


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("reconciler_project = nowhere", "reconciler_project is not valid:"),
        ("reconciler_account = other", "there is no account 'other'"),
    ],
)
def test_a_wrong_setting_is_said_without_a_traceback(setting, message, tmp_path):
    (tmp_path / "meters.yaml").write_text(METERS, "utf-8")
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{setting}\n")
    (tmp_path / "test_it.py").write_text("def test_it(stripe_meters): pass\n")
    done = run_pytest(tmp_path)
    assert done.returncode == 1
    assert message in done.stdout
    assert "Traceback" not in done.stdout


def test_the_page_can_be_followed(tmp_path):
    """Its files pass, and with the misspelt name fail as it shows."""
    page = (ROOT / "docs/how-to/pytest.md").read_text("utf-8")
    files = re.findall(r"`([\w./]+)`:\n\n```\w+\n(.*?)```\n", page, re.S)
    assert [file for file, _ in files[-2:]] == ["search.py", "test_search.py"]
    (tmp_path / "billing").mkdir()
    for file, text in [*files, ("pytest.ini", re.findall(r"```ini\n(.*?)```", page, re.S)[0])]:
        (tmp_path / file).write_text(text)
    assert run_pytest(tmp_path).returncode == 0
    application = tmp_path / "search.py"
    application.write_text(application.read_text().replace("ai_search_calls", "ai_search_call"))
    said = run_pytest(tmp_path).stdout.replace("\nE  ", "\n")
    for line in re.findall(r"```text\n(.*?)```", page, re.S)[0].splitlines():
        assert line.strip() in said


def test_nothing_is_imported_before_a_fixture_is_used(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    ours = {name for name in sys.modules if name.startswith('reconciler.')}\n"
        "    names = {'reconciler._version', 'reconciler.testing', 'reconciler.testing.plugin'}\n"
        "    assert ours == names\n"
    )
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout
