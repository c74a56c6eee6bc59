"""The project file: what it says of accounts and policy, and one diagnostic for one mistake."""

from pathlib import Path

import pytest

from reconciler.config import load
from reconciler.diagnostics.errors import ConfigError
from reconciler.model.project import Policy, Undeclared

METERS = """\
version: 1
meters:
  - {event_name: %s, display_name: A, default_aggregation: {formula: sum}}
"""


def write(folder: Path, project: str, **files: str) -> Path:
    (folder / "reconciler.yaml").write_text("version: 1\n" + project, "utf-8")
    (folder / "a.yaml").write_text(METERS % "a")
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def faults(folder: Path) -> list[tuple[str, str]]:
    """Code and line:column of every problem."""
    try:
        diagnostics = load(folder).diagnostics
    except ConfigError as error:
        diagnostics = error.diagnostics
    return [(p.code, f"{p.location.line}:{p.location.column}") for p in diagnostics if p.location]


def test_everything_that_can_be_said_of_an_account(tmp_path):
    """Each key ends in the noun; the account's policy overrides the project's key by key."""
    project = """\
meters: ["*.yaml"]
accounts:
  live:
    api_key_env: STRIPE_LIVE_KEY
    livemode: true
    account_id: acct_1Abc
    stripe_account: acct_9Xyz
    rate_limit: 7.5
    api_base: https://proxy.example/stripe/
    meters: ["live/**/*.yaml", a.yaml]
    policy: {max_deactivations: 0, max_plan_age: 90m}
  org:
    api_key_env: STRIPE_ORG_KEY
    stripe_context: acct_1/acct_2
  local:
    emulator: .reconciler/local.json
    seed: a.yaml
policy: {undeclared: deactivate, owns: ["a*"], protect: [b], max_deactivations: 9}
"""
    folder = write(tmp_path, project, live__deep__b_yaml=METERS % "b")
    existing, org, local = load(folder).accounts
    assert (existing.name, existing.api_key_env, existing.livemode) == (
        "live",
        "STRIPE_LIVE_KEY",
        True,
    )
    assert (existing.account_id, existing.stripe_account) == ("acct_1Abc", "acct_9Xyz")
    assert (existing.api_base, existing.rate_limit) == ("https://proxy.example/stripe", 7.5)
    assert [one.event_name for one in existing.declared] == ["a", "b"]
    common = {"undeclared": Undeclared.DEACTIVATE, "owns": ("a*",), "protect": ("b",)}
    assert existing.policy == Policy(**common, max_deactivations=0, max_plan_age=5400)
    assert org.policy == Policy(**common, max_deactivations=9, max_plan_age=86400)
    assert (org.stripe_context, org.livemode, org.rate_limit) == ("acct_1/acct_2", False, 20.0)
    assert [one.event_name for one in org.declared] == ["a"]
    assert (local.api_key_env, local.rate_limit) == (None, None)
    assert local.emulator == str(tmp_path / ".reconciler" / "local.json")
    assert local.seed == str(tmp_path / "a.yaml")


def test_a_project_file_without_accounts_speaks_of_the_default_one(tmp_path):
    """Its policy holds, and the key is where it is without a project file."""
    (account,) = load(write(tmp_path, "policy: {max_plan_age: 7d}\n")).accounts
    assert (account.name, account.api_key_env, account.livemode) == (
        "default",
        "STRIPE_API_KEY",
        False,
    )
    assert account.policy == Policy(max_plan_age=7 * 86400)


@pytest.mark.parametrize(
    ("age", "seconds"), [("45s", 45), ("90m", 5400), ("24h", 86400), ("7d", 604800)]
)
def test_durations_are_a_number_and_a_unit(tmp_path, age, seconds):
    """In seconds, once read."""
    (account,) = load(write(tmp_path, f"policy: {{max_plan_age: {age}}}\n")).accounts
    assert account.policy.max_plan_age == seconds


WHOLE = {
    "unknown version": ("version: 2\nfoo: 1\npolicy: 3", [("C008", "1:10")]),
    "missing version": ("policy: {}", [("C011", "1:1")]),
    "unknown key": ("version: 1\nacounts: {a: {api_key_env: A}}", [("C010", "2:1")]),
    "misplaced key": ("version: 1\nowns: [a]", [("C010", "2:1")]),
    "no accounts": ("version: 1\naccounts: {}", [("C013", "2:11")]),
    "list of accounts": ("version: 1\naccounts: [a]", [("C009", "2:11")]),
    "not a mapping": ("[1]", [("C009", "1:1")]),
    "broken": ("version: [", [("Y003", "1:11")]),
    "empty": ("", [("Y004", "1:1")]),
    "no patterns": ("version: 1\nmeters: []", [("C013", "2:9")]),
    "one pattern": ("version: 1\nmeters: a.yaml", [("C009", "2:9")]),
    "misspelt meters": ("version: 1\nmetres: [b.yaml]", [("C010", "2:1")]),
    "no match": ("version: 1\nmeters: [a.yaml, b/*.yaml]", [("C006", "2:18")]),
    "above": ("version: 1\nmeters: [a.yaml, ../*.yaml]", [("C005", "2:18")]),
    "absolute": ("version: 1\nmeters: [/etc/*.yaml]", [("C005", "2:10")]),
    "home": ('version: 1\nmeters: ["~/*.yaml"]', [("C005", "2:10")]),
    "drive": ('version: 1\nmeters: ["C:/*.yaml"]', [("C005", "2:10")]),
    "NUL in a pattern": ('version: 1\nmeters: ["a\\0"]', [("C014", "2:10")]),
    "twice": ("version: 1\nmeters: [a.yaml, a.yaml]", [("C027", "2:18")]),
    "not owned": ("version: 1\npolicy: {undeclared: deactivate}", [("C019", "2:22")]),
    "owned nothing": ("version: 1\npolicy: {undeclared: deactivate, owns: []}", [("C019", "2:22")]),
    "misspelt owns": ("version: 1\npolicy: {undeclared: deactivate, own: [a]}", [("C010", "2:34")]),
    "unknown undeclared": ("version: 1\npolicy: {undeclared: delete}", [("C012", "2:22")]),
    "negative": ("version: 1\npolicy: {max_deactivations: -1}", [("C013", "2:29")]),
    "fraction": ("version: 1\npolicy: {max_deactivations: 1.0}", [("C009", "2:29")]),
    "octal or not": ("version: 1\npolicy: {max_deactivations: 010}", [("C009", "2:29")]),
    "huge": (f"version: 1\npolicy: {{max_deactivations: {'9' * 5000}}}", [("C009", "2:29")]),
    "large": (f"version: 1\npolicy: {{max_deactivations: {'9' * 200}}}", [("C013", "2:29")]),
    "no unit": ("version: 1\npolicy: {max_plan_age: 90}", [("C014", "2:24")]),
    "minutes twice": ("version: 1\npolicy: {max_plan_age: 1:30}", [("C014", "2:24")]),
    "no age": ("version: 1\npolicy: {max_plan_age: 0h}", [("C014", "2:24")]),
}


@pytest.mark.parametrize(("text", "expected"), WHOLE.values(), ids=WHOLE)
def test_a_mistake_in_the_project_file(tmp_path, text, expected):
    """Exactly one diagnostic, where the mistake stands."""
    write(tmp_path, "").joinpath("reconciler.yaml").write_text(text)
    assert faults(tmp_path) == expected


ACCOUNTS = {
    "no way to reach it": ("x: {livemode: true}", [("C011", "3:6")]),
    "empty": ("x: {}", [("C011", "3:6")]),
    "nothing": ("x:", [("C009", "3:5")]),
    "misspelt way": ("x: {api_key_evn: A}", [("C010", "3:7")]),
    "both ways": ("x: {api_key_env: A, emulator: e.json}", [("C018", "3:7")]),
    "two ways to act on": (
        "x: {api_key_env: A, stripe_account: a, stripe_context: b}",
        [("C018", "3:42")],
    ),
    "seed without emulator": ("x: {api_key_env: A, seed: a.yaml}", [("C018", "3:23")]),
    "emulator elsewhere": ("x: {emulator: e, api_base: http://x}", [("C018", "3:20")]),
    "no variable name": ("x: {api_key_env: 1A}", [("C014", "3:20")]),
    "bad id": ("x: {api_key_env: A, account_id: 'a b'}", [("C014", "3:35")]),
    "header injection": ('x: {api_key_env: A, stripe_account: "a\\r\\nB: c"}', [("C014", "3:39")]),
    "bad context": ("x: {api_key_env: A, stripe_context: a//b}", [("C014", "3:39")]),
    "no rate": ("x: {api_key_env: A, rate_limit: 0}", [("C013", "3:35")]),
    "infinite rate": ("x: {api_key_env: A, rate_limit: .inf}", [("C009", "3:35")]),
    "endless rate": ("x: {api_key_env: A, rate_limit: 9.0e+999}", [("C013", "3:35")]),
    "no number": ("x: {api_key_env: A, rate_limit: .nan}", [("C009", "3:35")]),
    "exponent": ("x: {api_key_env: A, rate_limit: 1e1}", [("C009", "3:35")]),
    "boolean word": ("x: {api_key_env: A, livemode: yes}", [("C009", "3:33")]),
    "name like a boolean": ("on: {api_key_env: A}", [("Y016", "3:3")]),
    "name like a number": ("1: {api_key_env: A}", [("Y016", "3:3")]),
    "name with a space": ("a b: {api_key_env: A}", [("C014", "3:3")]),
    "long name": (f"{'a' * 65}: {{api_key_env: A}}", [("C014", "3:3")]),
    "emulator above": ("x: {emulator: ../e.json}", [("C005", "3:17")]),
    "emulator elsewhere on disk": ("x: {emulator: /tmp/e.json}", [("C005", "3:17")]),
    "emulator a folder": ("x: {emulator: .}", [("C003", "3:17")]),
    "no seed": ("x: {emulator: e.json, seed: s.json}", [("C001", "3:31")]),
    "owns only at the account": (
        "x: {emulator: e, policy: {undeclared: deactivate}}",
        [("C019", "3:41")],
    ),
    "same key": ("x: {api_key_env: A}\n  z: {api_key_env: A, livemode: true}", [("C017", "4:3")]),
    "same account": (
        "x: {api_key_env: A, account_id: a}\n  z: {api_key_env: B, account_id: a}",
        [("C017", "4:3")],
    ),
    "same account from two platforms": (
        "x: {api_key_env: A, account_id: p, stripe_account: c}\n"
        "  z: {api_key_env: B, account_id: c}",
        [("C017", "4:3")],
    ),
    "same emulator": ("x: {emulator: e.json}\n  z: {emulator: ./e.json}", [("C017", "4:3")]),
    "different modes": (
        "x: {api_key_env: A, account_id: a}\n  z: {api_key_env: B, account_id: a, livemode: true}",
        [],
    ),
    "one key, two connected": (
        "x: {api_key_env: A, stripe_account: a}\n  z: {api_key_env: A, stripe_account: b}",
        [],
    ),
}


@pytest.mark.parametrize(("account", "expected"), ACCOUNTS.values(), ids=ACCOUNTS)
def test_a_mistake_in_an_account(tmp_path, account, expected):
    """Exactly one diagnostic, at the key or value that has to change."""
    assert faults(write(tmp_path, f"accounts:\n  {account}\n")) == expected


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        ("https://api.stripe.com", True),
        ("http://localhost:12111", True),
        ("http://127.3.2.1:80/x", True),
        ("http://[::1]:8080", True),
        ("http://api.stripe.com", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost@evil.example", False),
        ("https://user:word@api.stripe.com", False),
        ("https://", False),
        ("https://x:port", False),
        ("https://[::1", False),
        ("https://x/?key=1", False),
        ("ftp://localhost", False),
        ("https://x:0", False),
        ("https://exä.com", False),
        ("https://a b", False),
        ("api.stripe.com", False),
    ],
)
def test_a_key_is_only_sent_where_nobody_listens_in(tmp_path, address, accepted):
    """https, or http that does not leave this machine."""
    write(tmp_path, f'accounts: {{x: {{api_key_env: A, api_base: "{address}"}}}}\n')
    assert faults(tmp_path) == ([] if accepted else [("C014", "2:42")])


def test_a_broken_project_file_does_not_hide_the_mistakes_in_meter_files(tmp_path):
    """All errors of all files in one run, sorted by file and place."""
    write(tmp_path, "accounts: {x: {}}\n", b_yaml="version: 1\nmeters: [1]\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    places = [
        str(diagnostic.location).removeprefix(f"{tmp_path}/")
        for diagnostic in caught.value.diagnostics
    ]
    assert places == ["b.yaml:2:10", "reconciler.yaml:2:15"]


def test_where_the_patterns_cannot_be_used_no_other_files_are_blamed(tmp_path):
    """What the default patterns would match is not what was meant."""
    for project in ("metres: [a.yaml]\n", "meters: a.yaml\n", "version: [\n"):
        write(tmp_path, project, compose_yaml="services: {}\n")
        with pytest.raises(ConfigError) as caught:
            load(tmp_path)
        assert {Path(diagnostic.location.file).name for diagnostic in caught.value.diagnostics} == {
            "reconciler.yaml"
        }


def test_each_account_has_its_own_set_of_names(tmp_path):
    """One name in files of different accounts is no mistake; in one account it is, once."""
    accounts = (
        "accounts:\n"
        "  x: {api_key_env: X, meters: [a.yaml]}\n"
        "  z: {api_key_env: Z, meters: [b.yaml]}\n"
    )
    folder = write(tmp_path, accounts, b_yaml=METERS % "a")
    assert faults(folder) == []
    write(tmp_path, accounts + "  v: {api_key_env: V}\n  w: {api_key_env: W}\n")
    assert faults(folder) == [("C015", "3:18")]
