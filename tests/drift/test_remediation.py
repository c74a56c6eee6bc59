"""Remediation is exact: YAML has the values of the account, a command acts on it."""

from __future__ import annotations

import pytest
import yaml
from builders.meters import COMMANDS, active_prices, existing, inactive
from builders.meters import declare as declare_meter
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drift.remediation import Commands, adopt_name, declare
from reconciler.model.project import Account

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


@given(TEXT, TEXT, TEXT)
def test_a_declaration_reads_back_as_the_meter(name, display, key):
    """Quotes, colons, control and bidirectional characters included."""
    meter = existing(name=name, display=display, value_key=key, customer_key=key)
    text = declare(meter).text
    (entry,) = yaml.safe_load(text)
    assert text.isprintable()
    wanted = {k: v for k, v in meter.meter.as_api().items() if k in entry}
    assert entry == wanted
    assert entry["event_name"] == name


def test_an_inactive_meter_is_declared_active_or_else_given_up_with_its_prices():
    text = declare(inactive(), active_prices("p@mtr_i")["mtr_i"]).text
    (entry,) = yaml.safe_load(text)
    assert not {"status", "accepts"} & entry.keys()
    assert text.endswith('# or give it up: status: "inactive", accepts: {prices: ["p"]}')


@given(TEXT)
def test_a_display_name_reads_back(display):
    assert yaml.safe_load(adopt_name(existing(display=display), declare_meter()).text) == {
        "display_name": display
    }


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("a*b", "'a[*]b'"),
        ("it's", "'it'\"'\"'s'"),
        ("a[1]", "'a[[]1]'"),
        ("a b", "'a b'"),
        ("-a-b", "'[-]a-b'"),
    ],
)
def test_a_command_selects_exactly_the_event_name(name, quoted):
    """No pattern, no option, nothing that the shell interprets."""
    assert COMMANDS.apply(name).text == f"reconciler apply --account test --only {quoted}"


@pytest.mark.parametrize(
    ("path", "word"),
    [
        (".", ""),
        ("examples/quickstart", " examples/quickstart"),
        ("-x", " ./-x"),
        ("/a/b", " /a/b"),
        ("$(rm) x", " '$(rm) x'"),
    ],
)
def test_a_command_has_the_path_that_the_user_gave(path, word):
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
def test_a_command_of_the_stripe_cli_acts_on_the_same_account(account, options):
    """Without options it would act on the platform's account, in test mode."""
    commands = Commands(".", Account("test", **account))
    command = commands.deactivate(existing(livemode=commands.account.livemode))
    assert command.text == f"stripe post /v1/billing/meters/mtr_a/deactivate{options}"
