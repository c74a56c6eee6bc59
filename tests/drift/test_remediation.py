"""What is handed out is exact: a line of YAML says what the account has, a command reaches it."""

from __future__ import annotations

import pytest
import yaml
from builders.meters import COMMANDS, active_prices, existing, inactive
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drift.remediation import Commands, adopt_name, declare
from reconciler.model.project import Account

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


@given(TEXT, TEXT, TEXT)
def test_a_declaration_reads_back_as_the_meter(name, display, key):
    """Quotes, colons, control and bidirectional characters included."""
    meter = existing(name=name, display=display, value_key=key, customer_key=key)
    line = declare(meter).text
    (entry,) = yaml.safe_load(line)
    assert "\n" not in line
    assert line.isprintable()
    wanted = {k: v for k, v in meter.meter.as_api().items() if k in entry}
    assert entry == wanted
    assert entry["event_name"] == name


def test_a_stopped_meter_is_declared_so_with_its_prices():
    """The declaration changes nothing in the account."""
    (entry,) = yaml.safe_load(declare(inactive(), active_prices("p@mtr_i")["mtr_i"]).text)
    assert entry["status"] == "inactive"
    assert entry["accepts"] == {"prices": ["p"]}


@given(TEXT)
def test_a_name_reads_back(display):
    """The line stands under a meter of a file."""
    assert yaml.safe_load(adopt_name(existing(display=display)).text) == {"display_name": display}


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        *[("a*b", "'a[*]b'"), ("it's", "'it'\"'\"'s'"), ("a[1]", "'a[[]1]'"), ("a b", "'a b'")],
        ("-a-b", "'[-]a-b'"),
    ],
)
def test_a_command_reaches_exactly_the_name(name, quoted):
    """A name is neither a pattern nor an option nor a word of the shell."""
    assert COMMANDS.apply(name).text == f"reconciler apply --account test --only {quoted}"


@pytest.mark.parametrize(
    ("path", "word"),
    [
        *[(".", ""), ("examples/quickstart", " examples/quickstart"), ("-x", " ./-x")],
        *[("my files", " 'my files'"), ("/a/b", " /a/b"), ("$(rm)", " '$(rm)'")],
    ],
)
def test_a_command_names_the_project_as_the_user_did(path, word):
    """It is copied into the same shell, in the same folder."""
    commands = Commands(path, Account("test"))
    assert commands.apply().text == f"reconciler apply{word} --account test"


@pytest.mark.parametrize(
    ("account", "options"),
    [
        ({}, ""),
        ({"livemode": True}, " --live"),
        ({"stripe_account": "acct_9"}, " --stripe-account acct_9"),
        ({"stripe_context": "org_1/acct_9"}, " --stripe-context org_1/acct_9"),
        ({"stripe_account": "acct_9", "livemode": True}, " --stripe-account acct_9 --live"),
    ],
)
def test_what_is_left_to_stripes_own_cli_goes_to_the_same_account(account, options):
    """Without these words it would go to the platform's account, and to test mode."""
    commands = Commands(".", Account("test", **account))
    said = commands.deactivate(existing(livemode=commands.account.livemode))
    assert said.text == f"stripe post /v1/billing/meters/mtr_a/deactivate{options}"
