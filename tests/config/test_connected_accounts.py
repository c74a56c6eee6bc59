"""`connected_accounts`: the accounts of an entry, and every error in them at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config import load
from reconciler.config.connected_accounts import parse_accounts
from reconciler.diagnostics.errors import ConfigError

METERS = (
    "version: 1\nmeters:\n  - {event_name: calls, display_name: Calls, "
    "default_aggregation: {formula: sum}}\n"
)


def write(folder: Path, accounts: str, more: str = "", listed: str | bytes | None = None) -> str:
    """A project with these entries, and perhaps a file of accounts."""
    (folder / "reconciler.yaml").write_text(f"version: 1\naccounts:\n{accounts}{more}", "utf-8")
    (folder / "meters.yaml").write_text(METERS, "utf-8")
    if listed is not None:
        data = listed if isinstance(listed, bytes) else listed.encode()
        (folder / "accounts.txt").write_bytes(data)
    return str(folder)


def errors(folder: str) -> list[str]:
    """The errors of a project: file, line, column and code."""
    with pytest.raises(ConfigError) as caught:
        load(folder)
    found = []
    for each in caught.value.diagnostics:
        assert each.location
        at = each.location
        found.append(f"{Path(at.file).name}:{at.line}:{at.column} {each.code}")
    return found


def test_each_connected_account_shares_what_its_entry_has(tmp_path):
    """Meters and policy are loaded once, whatever the number of accounts."""
    entry = "  p: {api_key_env: K, connected_accounts: [acct_2, acct_1], rate_limit: 7}\n"
    (account,) = load(write(tmp_path, entry, "policy: {max_deactivations: 3}\n")).accounts
    assert account.connected
    one, other = account.expand(account.connected.ids or ())
    assert (one.name, one.stripe_account, one.entry) == ("p/acct_2", "acct_2", "p")
    assert (other.name, other.stripe_account) == ("p/acct_1", "acct_1")
    assert one.declared is other.declared is account.declared
    assert (one.policy.max_deactivations, one.rate_limit) == (3, 7.0)
    assert one.connected is None


@pytest.mark.parametrize(
    ("more", "limit"),
    [
        ("", 80.0),
        (", platform_rate_limit: 12", 12.0),
        (', api_base: "http://127.0.0.1:9"', None),
        (', api_base: "http://127.0.0.1:9", platform_rate_limit: 0.5', 0.5),
    ],
)
def test_the_platform_has_a_rate_limit_unless_it_is_local(more, limit, tmp_path):
    """Of its own, over all accounts."""
    entry = f"  p: {{api_key_env: K, connected_accounts: all{more}}}\n"
    (account,) = load(write(tmp_path, entry)).accounts
    assert account.connected
    assert (account.connected.ids, account.connected.rate_limit) == (None, limit)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("connected_accounts: []", "3:46 C013"),
        ("connected_accounts: [acct_1, x, acct_1]", "3:55 C014,3:58 C027"),
        ("connected_accounts: al", "3:46 C012"),
        ("connected_accounts: true", "3:46 C009"),
        ("connected_accounts: {fil: a}", "3:47 C010"),
        ("connected_accounts: {}", "3:46 C011"),
        ("connected_accounts: {file: no.txt}", "3:53 C003"),
        ("connected_accounts: {file: ../no.txt}", "3:53 C005"),
        ("connected_accounts: all, stripe_account: acct_1", "3:26 C018"),
        ("connected_accounts: all, stripe_context: acct_1", "3:26 C018"),
        ("platform_rate_limit: 3", "3:26 C018"),
        ("connected_accounts: all, platform_rate_limit: 0", "3:72 C013"),
    ],
)
def test_an_invalid_entry_is_reported_where_it_is_wrong(entry, found, tmp_path):
    """With the column of the value."""
    folder = write(tmp_path, f"  p: {{api_key_env: KEYS, {entry}}}\n")
    assert ",".join(each.removeprefix("reconciler.yaml:") for each in errors(folder)) == found


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("", "1:1 C047"),
        ("# none\n\n", "1:1 C047"),
        ("acct_1\r\n  nonsense here # it\r\n\r\nacct_1\r\n", "2:3 C014,4:1 C027"),
        ("acct_1\nacct_é\n", "2:1 C014"),
        (b"acct_1\n\xff\n", "2:1 Y001"),
        ("acct_1\nsk_test_abc123\n", "2:1 C014,2:1 C016"),
    ],
)
def test_an_invalid_line_of_the_file_is_reported(listed, found, tmp_path):
    """With its line; nothing else of the project hides it."""
    entry = "  p: {api_key_env: K, connected_accounts: {file: accounts.txt}}\n"
    folder = write(tmp_path, entry, listed=listed)
    assert ",".join(each.removeprefix("accounts.txt:") for each in errors(folder)) == found


def test_a_line_of_the_file_is_shown(tmp_path):
    """As for every other file."""
    entry = "  p: {api_key_env: K, connected_accounts: {file: accounts.txt}}\n"
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, entry, listed="acct_1\nwhat\n"))
    assert [each.source for each in caught.value.diagnostics] == ["what"]


def test_one_account_belongs_to_one_entry(tmp_path):
    """Whichever way it is named; test and live mode are two accounts."""
    entries = """\
  canary: {api_key_env: K, stripe_account: acct_1}
  p: {api_key_env: K, connected_accounts: [acct_3, acct_1]}
  q: {api_key_env: L, connected_accounts: {file: accounts.txt}}
  live: {api_key_env: M, connected_accounts: [acct_1], livemode: true}
  all: {api_key_env: O, connected_accounts: all}
  again: {api_key_env: O, connected_accounts: all}
"""
    folder = write(tmp_path, entries, listed="acct_2\nacct_3\n")
    assert errors(folder) == [
        "accounts.txt:2:1 C017",
        "reconciler.yaml:4:52 C017",
        "reconciler.yaml:8:3 C017",
    ]


def test_each_pattern_of_a_group_matches_an_account(tmp_path):
    """As far as the files tell: the accounts of `all` are known later."""
    entries = "  one: {api_key_env: K}\n  p: {api_key_env: L, connected_accounts: [acct_1]}\n"
    entries += "  every: {api_key_env: M, connected_accounts: all}\n"
    valid = 'groups: [[one], ["p/*"], ["p/acct_1", "*"], ["every/acct_7"], [every]]\n'
    assert load(write(tmp_path, entries, valid)).groups == (
        ("one",),
        ("p/*",),
        ("p/acct_1", "*"),
        ("every/acct_7",),
        ("every",),
    )
    wrong = 'groups:\n  - [oen]\n  - ["p/acct_2"]\n  - ["evry/*", one]\n  - []\n'
    lines = [
        each.removeprefix("reconciler.yaml:") for each in errors(write(tmp_path, entries, wrong))
    ]
    assert lines == ["7:6 C048", "8:6 C048", "9:6 C048", "10:5 C013"]


IDS = st.from_regex(r"acct_[A-Za-z0-9_]{1,8}", fullmatch=True)


@given(st.lists(IDS, unique=True, min_size=1), st.sampled_from(["\n", "\r\n", "\n\n", " # x\n"]))
def test_every_id_of_a_file_is_read_once(ids, ending):
    """In the order of the file, at its line."""
    text = "".join(f"{id_}{ending}" for id_ in ids)
    listed = parse_accounts(text, "accounts.txt")
    assert (list(listed.ids or ()), listed.diagnostics) == (ids, ())


@given(st.text())
def test_any_text_is_read_or_reported(text):
    """Never an exception, and never an empty list without an error."""
    listed = parse_accounts(text, "accounts.txt")
    assert listed.diagnostics or listed.ids
