"""The printed command that reactivates a meter works with every kind of key and account."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import pytest
import requests
from cli.world import SEATS, existing
from published import held

ACCOUNT = "acct_1EmulatedAccount"
REACHED = {
    "an account of its own": ("sk_test_mine", {}),
    "a connected account": ("sk_test_platform", {"stripe_account": ACCOUNT}),
    "an organisation's account": ("sk_org_test_all", {"stripe_context": f"org_1/{ACCOUNT}"}),
}
OLD = existing("seats", "Seats", "sum", id="mtr_old")


def by_requests(command):
    """The words of the command as one request."""
    curl, how, method, url, user, credentials, *rest = shlex.split(os.path.expandvars(command))
    assert (curl, how, user, set(rest[::2])) == ("curl", "-X", "-u", {"-H"})
    headers = dict(each.split(": ") for each in rest[1::2])
    key, _, password = credentials.partition(":")
    answer = requests.request(method, url, headers=headers, auth=(key, password), timeout=10)
    assert answer.status_code == 200, answer.text


def by_shell(command):
    """The command as it is printed."""
    subprocess.run(["sh", "-c", f"{command} --silent --fail"], check=True, capture_output=True)


@pytest.mark.parametrize("key", REACHED)
@pytest.mark.parametrize("send", [by_requests, by_shell])
def test_the_printed_command_reactivates_the_old_meter(key, send, world, run, monkeypatch):
    """The old meter is deactivated; neither the new nor the old one can be activated."""
    if send is by_shell and not shutil.which("curl"):
        pytest.skip("there is no curl")
    secret, account = REACHED[key]
    made = world(
        SEATS.replace("seats,", "seats, retires: [mtr_old],"), {"meters": [OLD]}, **account
    )
    monkeypatch.setenv("SANDBOX_KEY", secret)
    made.server.arm("reset:before:method=POST:path=/v1/billing/meters")
    made.server.arm("reset:before:method=POST:path=/v1/billing/meters/*/reactivate")
    ran = run("apply", made.folder, "--yes", "--format", "json")
    (line,) = held(ran.out)["accounts"][0]["changes"]
    assert line["result"]["error"]["code"] == "A005"
    assert made.server.state.ledger.meters["mtr_old"]["status"] == "inactive"

    made.server.disarm()
    send(line["result"]["error"]["hint"].partition("reactivate the old meter: ")[2].strip("`"))
    assert made.server.state.ledger.meters["mtr_old"]["status"] == "active"
