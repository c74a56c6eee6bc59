"""The project file: accounts, policy and exemptions, and one diagnostic for one error."""

import json
from pathlib import Path

import pytest
from config import loading
from config.loading import METERS, diagnose

from reconciler.config import load
from reconciler.config.schema import read_schema
from reconciler.model.finding import Kind
from reconciler.model.project import Ignore, Policy, Undeclared

OTHER = METERS.replace("event_name: a", "event_name: b")


def write(folder: Path, project: str, **files: str) -> Path:
    return loading.write(
        folder, {"reconciler.yaml": f"version: 1\n{project}", "a.yaml": METERS} | files
    )


def errors(folder: Path) -> list[tuple[str, str]]:
    """Return the code and line:column of every diagnostic."""
    return [(p.code, f"{p.location.line}:{p.location.column}") for p in diagnose(folder)]


def test_all_keys_of_an_account(tmp_path):
    """The account's policy overrides the project's key by key."""
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
    folder = write(tmp_path, project, **{"live/deep/b.yaml": OTHER})
    live, org, local = load(folder).accounts
    assert (live.name, live.api_key_env, live.livemode) == ("live", "STRIPE_LIVE_KEY", True)
    assert (live.account_id, live.stripe_account) == ("acct_1Abc", "acct_9Xyz")
    assert (live.api_base, live.rate_limit) == ("https://proxy.example/stripe", 7.5)
    assert [one.event_name for one in live.declared] == ["a", "b"]
    common = {"undeclared": Undeclared.DEACTIVATE, "owns": ("a*",), "protect": ("b",)}
    assert live.policy == Policy(**common, max_deactivations=0, max_plan_age=5400)
    assert org.policy == Policy(**common, max_deactivations=9, max_plan_age=86400)
    assert (org.stripe_context, org.livemode, org.rate_limit) == ("acct_1/acct_2", False, 20.0)
    assert [one.event_name for one in org.declared] == ["a"]
    assert (local.api_key_env, local.rate_limit) == (None, None)
    assert local.emulator == str(tmp_path / ".reconciler" / "local.json")
    assert local.seed == str(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("age", "seconds"), [("45s", 45), ("90m", 5400), ("24h", 86400), ("7d", 604800)]
)
def test_without_accounts_the_policy_applies_to_the_default_account(tmp_path, age, seconds):
    (account,) = load(write(tmp_path, f"policy: {{max_plan_age: {age}}}\n")).accounts
    assert (account.name, account.api_key_env, account.livemode) == (
        "default",
        "STRIPE_API_KEY",
        False,
    )
    assert account.policy == Policy(max_plan_age=seconds)


WHOLE = {
    "unknown version": ("version: 2\nfoo: 1\npolicy: 3", "C008", "1:10"),
    "missing version": ("policy: {}", "C011", "1:1"),
    "unknown key": ("version: 1\nacounts: {a: {api_key_env: A}}", "C010", "2:1"),
    "misplaced key": ("version: 1\nowns: [a]", "C010", "2:1"),
    "no accounts": ("version: 1\naccounts: {}", "C013", "2:11"),
    "list of accounts": ("version: 1\naccounts: [a]", "C009", "2:11"),
    "not a mapping": ("[1]", "C009", "1:1"),
    "broken": ("version: [", "Y003", "1:11"),
    "empty": ("", "Y004", "1:1"),
    "no patterns": ("version: 1\nmeters: []", "C013", "2:9"),
    "one pattern": ("version: 1\nmeters: a.yaml", "C009", "2:9"),
    "misspelt meters": ("version: 1\nmetres: [b.yaml]", "C010", "2:1"),
    "no match": ("version: 1\nmeters: [a.yaml, b/*.yaml]", "C006", "2:18"),
    "above": ("version: 1\nmeters: [a.yaml, ../*.yaml]", "C005", "2:18"),
    "absolute": ("version: 1\nmeters: [/etc/*.yaml]", "C005", "2:10"),
    "home": ('version: 1\nmeters: ["~/*.yaml"]', "C005", "2:10"),
    "drive": ('version: 1\nmeters: ["C:/*.yaml"]', "C005", "2:10"),
    "NUL in a pattern": ('version: 1\nmeters: ["a\\0"]', "C014", "2:10"),
    "twice": ("version: 1\nmeters: [a.yaml, a.yaml]", "C027", "2:18"),
    "not owned": ("version: 1\npolicy: {undeclared: deactivate}", "C019", "2:22"),
    "owned nothing": ("version: 1\npolicy: {undeclared: deactivate, owns: []}", "C019", "2:22"),
    "misspelt owns": ("version: 1\npolicy: {undeclared: deactivate, own: [a]}", "C010", "2:34"),
    "unknown undeclared": ("version: 1\npolicy: {undeclared: delete}", "C012", "2:22"),
    "negative": ("version: 1\npolicy: {max_deactivations: -1}", "C013", "2:29"),
    "fraction": ("version: 1\npolicy: {max_deactivations: 1.0}", "C009", "2:29"),
    "octal or not": ("version: 1\npolicy: {max_deactivations: 010}", "C009", "2:29"),
    "huge": (f"version: 1\npolicy: {{max_deactivations: {'9' * 5000}}}", "C009", "2:29"),
    "large": (f"version: 1\npolicy: {{max_deactivations: {'9' * 200}}}", "C013", "2:29"),
    "no unit": ("version: 1\npolicy: {max_plan_age: 90}", "C014", "2:24"),
    "minutes twice": ("version: 1\npolicy: {max_plan_age: 1:30}", "C014", "2:24"),
    "no age": ("version: 1\npolicy: {max_plan_age: 0h}", "C014", "2:24"),
}


@pytest.mark.parametrize(("text", "code", "place"), WHOLE.values(), ids=WHOLE)
def test_an_error_in_the_project_file(tmp_path, text, code, place):
    write(tmp_path, "").joinpath("reconciler.yaml").write_text(text)
    assert errors(tmp_path) == [(code, place)]


ACCOUNTS = {
    "no way to reach it": ("x: {livemode: true}", "C011", "3:6"),
    "empty": ("x: {}", "C011", "3:6"),
    "nothing": ("x:", "C009", "3:5"),
    "misspelt way": ("x: {api_key_evn: A}", "C010", "3:7"),
    "both ways": ("x: {api_key_env: A, emulator: e.json}", "C018", "3:7"),
    "two ways to act on": (
        "x: {api_key_env: A, stripe_account: acct_a, stripe_context: b}",
        "C018",
        "3:47",
    ),
    "seed without emulator": ("x: {api_key_env: A, seed: a.yaml}", "C018", "3:23"),
    "emulator elsewhere": ("x: {emulator: e, api_base: http://x}", "C018", "3:20"),
    "no variable name": ("x: {api_key_env: 1A}", "C014", "3:20"),
    "bad id": ("x: {api_key_env: A, account_id: 'a b'}", "C014", "3:35"),
    "not the id of an account": ("x: {api_key_env: A, account_id: prod}", "C014", "3:35"),
    "no connected account": ("x: {api_key_env: A, stripe_account: null}", "C009", "3:39"),
    "no context": ("x: {api_key_env: A, stripe_context: ~}", "C009", "3:39"),
    "no address": ("x: {api_key_env: A, api_base: }", "C009", "3:33"),
    "header injection": ('x: {api_key_env: A, stripe_account: "a\\r\\nB: c"}', "C014", "3:39"),
    "bad context": ("x: {api_key_env: A, stripe_context: a//b}", "C014", "3:39"),
    "no rate": ("x: {api_key_env: A, rate_limit: 0}", "C013", "3:35"),
    "infinite rate": ("x: {api_key_env: A, rate_limit: .inf}", "C009", "3:35"),
    "endless rate": ("x: {api_key_env: A, rate_limit: 9.0e+999}", "C013", "3:35"),
    "no number": ("x: {api_key_env: A, rate_limit: .nan}", "C009", "3:35"),
    "exponent": ("x: {api_key_env: A, rate_limit: 1e1}", "C009", "3:35"),
    "boolean word": ("x: {api_key_env: A, livemode: yes}", "C009", "3:33"),
    "name like a boolean": ("on: {api_key_env: A}", "Y016", "3:3"),
    "name like a number": ("1: {api_key_env: A}", "Y016", "3:3"),
    "name with a space": ("a b: {api_key_env: A}", "C014", "3:3"),
    "long name": (f"{'a' * 65}: {{api_key_env: A}}", "C014", "3:3"),
    "emulator above": ("x: {emulator: ../e.json}", "C005", "3:17"),
    "emulator elsewhere on disk": ("x: {emulator: /tmp/e.json}", "C005", "3:17"),
    "emulator a folder": ("x: {emulator: .}", "C003", "3:17"),
    "no seed": ("x: {emulator: e.json, seed: s.json}", "C001", "3:31"),
    "owns only at the account": (
        "x: {emulator: e, policy: {undeclared: deactivate}}",
        "C019",
        "3:41",
    ),
    "same key": ("x: {api_key_env: A}\n  z: {api_key_env: A, livemode: true}", "C017", "4:3"),
    "same key, one account_id": (
        "x: {api_key_env: A}\n  z: {api_key_env: A, account_id: acct_z}",
        "C017",
        "4:3",
    ),
    "same key and account_id": (
        "x: {api_key_env: A, account_id: acct_x}\n  z: {api_key_env: A, account_id: acct_x}",
        "C017",
        "4:3",
    ),
    "same key, two account_id": (
        "x: {api_key_env: A, account_id: acct_x}\n  z: {api_key_env: A, account_id: acct_z}",
        None,
        "",
    ),
    "same key, two account_id, all connected": (
        "x: {api_key_env: A, account_id: acct_x, connected_accounts: all}\n"
        "  z: {api_key_env: A, account_id: acct_z, connected_accounts: all}",
        None,
        "",
    ),
    "same key, all connected": (
        "x: {api_key_env: A, connected_accounts: all}\n"
        "  z: {api_key_env: A, connected_accounts: all}",
        "C017",
        "4:3",
    ),
    "same key and account_id, two modes": (
        "x: {api_key_env: A, account_id: acct_x}\n"
        "  z: {api_key_env: A, account_id: acct_x, livemode: true}",
        None,
        "",
    ),
    "same account": (
        "x: {api_key_env: A, account_id: acct_a}\n  z: {api_key_env: B, account_id: acct_a}",
        "C017",
        "4:3",
    ),
    "same account from two platforms": (
        "x: {api_key_env: A, account_id: acct_p, stripe_account: acct_c}\n"
        "  z: {api_key_env: B, account_id: acct_c}",
        "C017",
        "4:3",
    ),
    "same emulator": ("x: {emulator: e.json}\n  z: {emulator: ./e.json}", "C017", "4:3"),
    "different modes": (
        "x: {api_key_env: A, account_id: acct_a}\n"
        "  z: {api_key_env: B, account_id: acct_a, livemode: true}",
        None,
        "",
    ),
    "one key, two connected": (
        "x: {api_key_env: A, stripe_account: acct_a}\n"
        "  z: {api_key_env: A, stripe_account: acct_b}",
        None,
        "",
    ),
}


@pytest.mark.parametrize(("account", "code", "place"), ACCOUNTS.values(), ids=ACCOUNTS)
def test_an_error_in_an_account(tmp_path, account, code, place):
    """Exactly one diagnostic, at the key or value that has to change."""
    expected = [(code, place)] if code else []
    assert errors(write(tmp_path, f"accounts:\n  {account}\n")) == expected


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
def test_a_key_is_only_sent_over_https_or_to_this_machine(tmp_path, address, accepted):
    write(tmp_path, f'accounts: {{x: {{api_key_env: A, api_base: "{address}"}}}}\n')
    assert errors(tmp_path) == ([] if accepted else [("C014", "2:42")])


def test_errors_of_all_files_are_reported_at_once(tmp_path):
    """Sorted by file and location."""
    write(tmp_path, "accounts: {x: {}}\n", **{"b.yaml": "version: 1\nmeters: [1]\n"})
    reported = [str(one.location).removeprefix(f"{tmp_path}/") for one in diagnose(tmp_path)]
    assert reported == ["b.yaml:2:10", "reconciler.yaml:2:15"]


@pytest.mark.parametrize("project", ["metres: [a.yaml]\n", "meters: a.yaml\n", "version: [\n"])
def test_without_valid_patterns_no_other_files_are_read(tmp_path, project):
    """The files that the default patterns match are not the ones that were meant."""
    write(tmp_path, project, **{"compose.yaml": "services: {}\n"})
    assert {Path(one.location.file).name for one in diagnose(tmp_path)} == {"reconciler.yaml"}


def test_each_account_has_its_own_set_of_names(tmp_path):
    """A name may be declared once for each account; a duplicate is reported once."""
    accounts = (
        "accounts:\n"
        "  x: {api_key_env: X, meters: [a.yaml]}\n"
        "  z: {api_key_env: Z, meters: [b.yaml]}\n"
    )
    folder = write(tmp_path, accounts, **{"b.yaml": METERS})
    assert errors(folder) == []
    write(tmp_path, accounts + "  v: {api_key_env: V}\n  w: {api_key_env: W}\n")
    assert errors(folder) == [("C015", "3:18")]


EXEMPTION = {
    "event_name": "legacy_*",
    "kind": "unmanaged",
    "reason": "goes away",
    "until": "2027-01-31",
}


def exempt(**changed: object) -> str:
    """A project file with one exemption; None omits a key, other values are YAML."""
    given = {key: json.dumps(value) for key, value in EXEMPTION.items()} | changed
    pairs = ", ".join(f"{key}: {value}" for key, value in given.items() if value is not None)
    return f"ignore:\n  - {{{pairs}}}\n"


def test_exemptions_of_the_project_and_of_an_account(tmp_path):
    renamed = json.dumps({**EXEMPTION, "kind": "renamed"})
    accounts = f"accounts: {{one: {{emulator: e1, ignore: [{renamed}]}}, two: {{emulator: e2}}}}\n"
    one, two = load(write(tmp_path, exempt(owner='"billing team"') + accounts)).accounts
    assert [rule.kind for rule in one.ignore] == ["unmanaged", "renamed"]
    (rule,) = two.ignore
    assert rule == Ignore(**EXEMPTION, owner="billing team", location=rule.location)
    assert str(rule.location) == f"{tmp_path}/reconciler.yaml:3:5"
    assert one.ignore[1].owner is None


EXEMPTIONS = {
    **{f"no {key}": (exempt(**{key: None}), "C011", f"missing key `{key}`") for key in EXEMPTION},
    "blank reason": (exempt(reason='" "'), "C014", "`reason` is blank"),
    "unknown kind": (exempt(kind="unmanged"), "C012", "did you mean `unmanaged`?"),
    "a kind without exemptions": (exempt(kind="expired"), "C012", "known values: inactive"),
    "unquoted date": (exempt(until="2027-01-31"), "Y016", 'quote it: "2027-01-31"'),
    "another format": (exempt(until='"31.1.2027"'), "C014", "must be written as YYYY-MM-DD"),
    "no such day": (exempt(until='"2027-02-30"'), "C014", "not a valid date"),
    "no such month": (exempt(until='"2027-13-01"'), "C014", "not a valid date"),
    "unknown key": (exempt(untill='"2027-01-31"', until=None), "C010", "did you mean `until`?"),
    "no list": ("\nignore: {kind: unmanaged}\n", "C009", "must be a list"),
    "no mapping": ("\nignore: [unmanaged]\n", "C009", "must be a mapping"),
    "in an account": (
        "accounts:\n  a: {emulator: e1, ignore: ["
        + json.dumps({**EXEMPTION, "until": "2027-04-31"})
        + "]}\n",
        "C014",
        "not a valid date",
    ),
}


@pytest.mark.parametrize(("project", "code", "text"), EXEMPTIONS.values(), ids=EXEMPTIONS)
def test_an_error_in_an_exemption(tmp_path, project, code, text):
    """No finding is ignored, or not ignored, without an error."""
    (diagnostic,) = diagnose(write(tmp_path, project))
    assert (diagnostic.code, diagnostic.location.line) == (code, 3)
    assert text in f"{diagnostic.message} {diagnostic.hint}"


def test_the_kinds_are_those_of_drift():
    """In the project file and in the report."""
    entries = read_schema("project")["$defs"]["ignore"]["items"]
    assert entries["properties"]["kind"]["enum"] == [*Kind, "usage_without_meter"]
    of_account = ["usage_without_meter", "exemption_expired"]
    assert read_schema("report")["$defs"]["kind"]["enum"] == [*Kind, *of_account]


OWNING = "{undeclared: deactivate, owns: ['a*']}"


@pytest.mark.parametrize(
    ("common", "own", "code"),
    [
        ("{undeclared: report}", "{undeclared: deactivate}", "C019"),
        ("{undeclared: deactivate}", "{undeclared: report}", None),
        ("{undeclared: deactivate}", "{owns: ['a*']}", None),
        (OWNING, "{owns: []}", "C019"),
        ("{undeclared: deactivate, owns: []}", "{owns: ['a*']}", None),
        ("{owns: ['a*']}", "{undeclared: deactivate}", None),
        (OWNING, "{max_deactivations: 0}", None),
    ],
)
def test_the_policy_of_an_account_goes_before_the_common_one(tmp_path, common, own, code):
    """Key by key, also where one key requires another."""
    entry = f"accounts:\n  x: {{emulator: e, policy: {own}}}\npolicy: {common}\n"
    assert [found for found, _ in errors(write(tmp_path, entry))] == ([code] if code else [])
