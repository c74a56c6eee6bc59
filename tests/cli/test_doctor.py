"""`doctor`: one check a line, each ok or with what to do; never a key, never a write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli.world import SEATS, existing
from published import SCHEMAS, held
from virtual import VirtualClock

from reconciler.emulator import Key, Settings
from reconciler.stripe.transport import API_VERSION

pytestmark = pytest.mark.usefixtures("over_http")

READER = frozenset({"billing_meter_read", "plan_read", "subscription_read", "event_read"})
METER = {"meters": [existing("seats", "Seats")]}
LISTS = {"meters", "prices", "subscriptions", "alerts", "events"}
REACHED = {"clock", "api_version", "account", *LISTS}


def checked(ran) -> dict[str, dict[str, str]]:
    """The checks of the machine and of the only account, by name."""
    document = held(ran.out)
    assert document["exit_code"] == ran.code
    accounts = [check for account in document["accounts"] for check in account["checks"]]
    return {check["name"]: check for check in [*document["checks"], *accounts]}


@pytest.fixture
def doctor(run):
    """The checks of a project, and its exit code."""

    def _doctor(folder: Path, *words: str):
        ran = run("doctor", folder, "--format", "json", *words)
        key = os.environ.get("SANDBOX_KEY")
        assert not key or key not in ran.out + ran.err
        return ran.code, checked(ran)

    return _doctor


@pytest.fixture
def restricted(world, monkeypatch):
    """A project whose key has these permissions."""

    def build(permissions, **more):
        monkeypatch.setenv("SANDBOX_KEY", "rk_test_x")
        key = Key("rk_test_x", frozenset(permissions))
        return world(SEATS, METER, settings=Settings(keys=(key,)), **more)

    return build


def test_a_project_that_works(world, run, doctor):
    made = world(SEATS, METER, account_id="acct_1EmulatedAccount")
    code, checks = doctor(made.folder)
    assert code == 0
    assert {each["status"] for name, each in checks.items() if name != "schema"} == {"ok"}
    assert (checks["key"]["message"], checks["proxy"]["message"]) == (
        "secret key, test mode",
        "none",
    )
    assert checks["account"]["message"] == "acct_1EmulatedAccount (as configured)"
    assert checks["clock"]["message"] == "within 1 minute of the server's"
    assert checks["schema"]["message"].endswith(
        "reconciler.yaml: no comment names a schema; with `# yaml-language-server: $schema=PATH`"
        " as its first line, an editor checks the file"
    )
    assert made.posts() == []
    assert sorted(path.name for path in made.folder.iterdir()) == ["meters.yaml", "reconciler.yaml"]
    text = run("doctor", made.folder).out
    assert "\n  ok       meters         readable\n" in text
    assert text.endswith("\nNo problems found.\n")


@pytest.mark.parametrize(
    ("key", "code", "rule"),
    [
        (None, 6, "S001"),
        ("", 6, "S001"),
        ("'sk_test_1'", 6, "S002"),
        ("pk_test_1", 6, "S002"),
        ("sk_live_1", 3, "G006"),
        ("rk_live_1", 3, "G006"),
        ("sk_org_1", 1, "S043"),
    ],
)
def test_a_key_that_cannot_be_used_is_not_used(key, code, rule, world, doctor, monkeypatch):
    """Nothing is sent; the checks that need it are unknown."""
    made = world(SEATS, METER)
    monkeypatch.delenv("SANDBOX_KEY") if key is None else monkeypatch.setenv("SANDBOX_KEY", key)
    found, checks = doctor(made.folder)
    problem = checks["variable"] if rule in ("S001", "S002") else checks["key"]
    assert (found, problem["code"], problem["status"]) == (code, rule, "error")
    assert problem["hint"]
    assert {checks[name]["status"] for name in (*REACHED, "connection", "writing")} == {"unknown"}
    assert list(made.server.log) == []


def test_a_rejected_key_is_an_error_of_the_connection(world, doctor):
    made = world(SEATS, METER, settings=Settings(keys=(Key("sk_test_other"),)))
    code, checks = doctor(made.folder)
    assert (code, checks["connection"]["code"]) == (6, "S003")
    assert {checks[name]["status"] for name in REACHED} == {"unknown"}
    assert len(list(made.server.log)) == 1


@pytest.mark.parametrize(
    ("name", "code", "rule", "status"),
    [
        ("meters", 6, "S004", "error"),
        ("prices", 6, "D101", "error"),
        ("subscriptions", 0, "D103", "warning"),
        ("events", 0, "D102", "warning"),
    ],
)
def test_a_missing_permission_is_named(name, code, rule, status, restricted, doctor):
    """The other permissions are checked all the same."""
    permission = {
        "meters": "billing_meter_read",
        "prices": "plan_read",
        "subscriptions": "subscription_read",
        "events": "event_read",
    }[name]
    found, checks = doctor(restricted(READER - {permission}).folder)
    assert (found, checks[name]["code"], checks[name]["status"]) == (code, rule, status)
    assert permission in checks[name]["message"]
    others = REACHED - {name, "account", *({"alerts"} if name == "meters" else ())}
    assert {checks[each]["status"] for each in others} == {"ok"}


def test_the_permission_to_read_alerts_is_named(world, doctor, monkeypatch):
    """It is a warning: a plan goes on without them."""
    monkeypatch.setenv("SANDBOX_KEY", "rk_test_x")
    keys = (Key("rk_test_x", READER),)
    settings = Settings(keys=keys, alerts_permission="billing_meter_event_read")
    code, checks = doctor(world(SEATS, METER, settings=settings).folder)
    assert (code, checks["alerts"]["code"], checks["alerts"]["status"]) == (0, "P110", "warning")
    assert "billing_meter_event_read" in checks["alerts"]["message"]


def test_what_a_restricted_key_may_write_is_not_known(restricted, doctor):
    """It says so, and which permission `apply` needs; the account may be unknown too."""
    code, checks = doctor(restricted(READER).folder)
    assert (code, checks["key"]["message"]) == (0, "restricted key, test mode")
    assert checks["writing"]["status"] == "unknown"
    assert "billing_meter_write" in checks["writing"]["message"]
    assert checks["account"]["status"] == "unknown"


@pytest.mark.parametrize(
    ("account", "rule"), [({"account_id": "acct_other"}, "G007"), ({"livemode": True}, "G006")]
)
def test_another_account_or_mode_is_refused(account, rule, world, doctor, monkeypatch):
    """As a plan would; the mode is that of the meters where the key has none."""
    monkeypatch.setenv("SANDBOX_KEY", "sk_org_1")
    settings = Settings(keys=(Key("sk_org_1"),))
    context = {"stripe_context": "acct_1EmulatedAccount", "account_id": "acct_1EmulatedAccount"}
    made = world(SEATS, METER, settings=settings, **(context | account))
    code, checks = doctor(made.folder)
    assert (code, checks["account"]["code"], checks["account"]["status"]) == (3, rule, "error")


def test_an_account_that_does_not_respond(world, doctor):
    made = world(SEATS, METER)
    made.server.arm("503:method=GET")
    code, checks = doctor(made.folder)
    assert (code, checks["connection"]["code"]) == (1, "S035")


@pytest.mark.parametrize(
    ("shift", "message"),
    [
        (3 * 86_400, "the clock of this machine is 3 days ahead of the server's"),
        (-300, "the clock of this machine is 5 minutes behind the server's"),
    ],
)
def test_a_wrong_clock_is_a_warning(shift, message, world, doctor, monkeypatch, clock):
    made = world(SEATS, METER)
    wrong = VirtualClock(clock.now() + shift)
    monkeypatch.setattr("reconciler.cli.main.SystemClock", lambda _stop: wrong)
    code, checks = doctor(made.folder)
    assert (code, checks["clock"]["code"], checks["clock"]["message"]) == (0, "S041", message)


@pytest.mark.parametrize(
    ("key", "account", "message"),
    [
        ("sk_live_1", {"livemode": True}, "secret key, live mode"),
        (
            "sk_org_1",
            {"stripe_context": "acct_1EmulatedAccount"},
            "organization key, the mode is not part of it",
        ),
    ],
)
def test_the_kind_and_the_mode_of_the_key_are_said(
    key, account, message, world, doctor, monkeypatch
):
    monkeypatch.setenv("SANDBOX_KEY", key)
    made = world(SEATS, METER, **account)
    assert doctor(made.folder)[1]["key"]["message"] == message


def test_certificates_of_the_environment_are_named(world, doctor, monkeypatch):
    bundle = str(Path(__file__).with_name("loopback.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", bundle)
    message = doctor(world(SEATS, METER).folder)[1]["proxy"]["message"]
    assert message == f"none; certificate authorities from {bundle}"


def test_a_response_without_a_date_says_nothing_about_the_clock(world, doctor, monkeypatch):
    """A gateway may drop it."""
    monkeypatch.setattr("reconciler.emulator.http_server.formatdate", lambda *_, **__: "")
    code, checks = doctor(world(SEATS, METER).folder)
    assert (code, checks["clock"]["status"]) == (0, "unknown")
    assert checks["clock"]["message"] == "no response has a date to compare with"


def test_responses_of_another_version_are_a_warning(world, doctor, monkeypatch):
    monkeypatch.setattr("reconciler.operations.check_access.API_VERSION", "2020-08-27")
    code, checks = doctor(world(SEATS, METER).folder)
    assert (code, checks["api_version"]["code"]) == (0, "S042")
    assert checks["api_version"]["message"] == (
        f"requests have version 2020-08-27, responses have {API_VERSION}"
    )


@pytest.mark.parametrize("password", ["hunter2secret", "hunter2/secret@x"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_proxy_is_shown_without_its_password(scheme, password, world, run, monkeypatch):
    """And not used for loopback; an address that no file may name is refused before that."""
    made = world(SEATS, METER)
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}me:{password}@127.0.0.1:9/")
    monkeypatch.setenv("RECONCILER_ALLOW_API_BASE", "stripe.example.com")
    assert checked(run("doctor", made.folder, "--format", "json"))["proxy"]["message"] == "none"
    made.write(SEATS, api_base="https://stripe.example.com")
    ran = run("doctor", made.folder, "--format", "json")
    checks = checked(ran)
    assert checks["proxy"]["message"] == "http://127.0.0.1:9/"
    assert (ran.code, checks["connection"]["code"]) == (1, "S010")
    assert "hunter2" not in ran.out + ran.err
    monkeypatch.delenv("RECONCILER_ALLOW_API_BASE")
    assert checked(run("doctor", made.folder, "--format", "json"))["connection"]["code"] == "S005"


def test_an_unwritable_folder_is_an_error(world, doctor):
    made = world(SEATS, METER)
    made.file(".reconciler", "a file, not a folder")
    code, checks = doctor(made.folder)
    assert (code, checks["folder"]["code"], checks["meters"]["status"]) == (1, "J001", "ok")


SCHEMA = (SCHEMAS / "meters.schema.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "status", "why"),
    [
        (SCHEMA.replace("\n", "\r\n"), "ok", "is up to date"),
        (SCHEMA.replace("event_name", "event"), "warning", "is not the one of this version"),
        ("[", "warning", "is not a JSON Schema"),
        (None, "warning", "cannot be read (No such file or directory)"),
    ],
)
def test_the_schema_of_the_editor_is_compared(content, status, why, world, run):
    """With the one of this version, where the comment of a meter file names it."""
    made = world(SEATS, METER)
    text = (made.folder / "meters.yaml").read_text()
    made.file("meters.yaml", f"# yaml-language-server: $schema=./schema.json\r\n{text}")
    if content is not None:
        made.file("schema.json", content)
    (made.folder / "reconciler.yaml").write_text(
        "# yaml-language-server: $schema=https://example.com/project.json\n"
        + (made.folder / "reconciler.yaml").read_text()
    )
    ran = run("doctor", made.folder, "--format", "json")
    meters, project = (each for each in held(ran.out)["checks"] if each["name"] == "schema")
    assert (ran.code, meters["status"], project["status"]) == (0, status, "unknown")
    assert meters["message"].endswith(
        f"meters.yaml: the schema {made.folder / 'schema.json'} {why}"
    )
    assert meters["hint"].startswith("`reconciler schema meters > ") is (status == "warning")
    assert meters["code"] == ("C037" if status == "warning" else None)
    assert "the schema at https://example.com/project.json is not read" in project["message"]


def test_invalid_files_are_reported_with_the_versions(world, run):
    """Which does not need an account."""
    made = world(SEATS)
    made.file("meters.yaml", "version: 7\n")
    ran = run("doctor", made.folder, "--format", "json")
    document = held(ran.out)
    assert (ran.code, document["accounts"]) == (1, [])
    assert [check["name"] for check in document["checks"]] == ["versions", "platform"]
    assert [each["code"] for each in document["diagnostics"]] == ["C008"]
    text = run("doctor", made.folder).out
    assert "meters.yaml:1:10: error C008" in text
    assert text.endswith("\n\n1 error.\n")


def test_every_account_is_checked_unless_one_is_named(world, run):
    """A key that is missing here, for another account, is an error; the emulator needs none."""
    made = world(SEATS, METER)
    made.add_account("elsewhere")
    document = held(run("doctor", made.folder, "--format", "json").out)
    assert [each["exit_code"] for each in document["accounts"]] == [0, 6]
    ran = run("doctor", made.folder, "--account", "sandbox")
    assert (ran.code, "elsewhere: " in ran.out) == (0, False)
    assert run("doctor", made.folder, "--account", "sandbax").code == 64


def test_an_account_of_the_emulator(tmp_path, run, doctor):
    accounts = "accounts:\n  local:\n    emulator: .reconciler/local.json\n"
    (tmp_path / "reconciler.yaml").write_text(f"version: 1\n{accounts}")
    code, checks = doctor(tmp_path)
    assert (code, checks["connection"]["message"]) == (0, "started")
    assert (
        checks["files"]["message"] == "valid; declared meters: 0; meter files: 0; accounts: local"
    )
