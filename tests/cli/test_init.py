"""`init`: a project whose files are valid, from options or from answers; no file is replaced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cli.test_import import ODD
from cli.world import CALLS, existing
from published import held

from reconciler.cli import new_files
from reconciler.cli.console import Console
from reconciler.config import load_accounts
from reconciler.emulator import Key, Settings

FILES = [
    ".gitignore",
    "meters/meters.yaml",
    "reconciler.yaml",
    "schemas/meters.schema.json",
    "schemas/project.schema.json",
]


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def account(world):
    """An account without a project around the folder."""

    def build(*meters, **more):
        made = world("", {"meters": list(meters)}, **more)
        for name in ("reconciler.yaml", "meters.yaml"):
            (made.folder / name).unlink()
        return made

    return build


def reach(made, *more):
    """The options for an account."""
    return ("--api-key-env", "SANDBOX_KEY", "--api-base", made.server.url, *more)


def meters_of_350():
    """Active, inactive, inactive duplicates, and thirty odd names or more."""
    yield from (existing(name, name) for name in dict.fromkeys(ODD))
    for n in range(350 - len(set(ODD))):
        state = {"status": "inactive"} if n % 4 == 0 else {}
        name = f"meter_{n + {0: 1, 8: -4}.get(n % 16, 0)}"  # of an active, or an inactive one
        yield existing(name, f"Meter {n}", "sum", id=f"mtr_{n}", **state)


def test_an_account_of_350_meters_is_adopted_with_one_command(account, run):
    """Then the plan has no changes; nothing but reads was sent, and few of them."""
    meters = list(meters_of_350())
    assert len(meters) == 350
    assert len({meter["event_name"] for meter in meters}) < 350
    made = account(*meters)
    folder = made.folder / "billing"
    ran = run("init", folder, "--from-account", *reach(made))
    assert ran.code == 0, ran.out
    assert run("validate", folder).code == 0
    assert run("plan", folder, "--detailed-exitcode").code == 0
    requests = [(entry.method, entry.path) for entry in made.server.log]
    assert {method for method, _ in requests} == {"GET"}
    assert len(requests) < 30
    assert "acct_1EmulatedAccount" in (folder / "reconciler.yaml").read_text()


def test_a_project_without_an_account(tmp_path, run, monkeypatch):
    """No request, no key; what is written is valid, and names its schemas."""
    monkeypatch.chdir(tmp_path)
    ran = run("init")
    assert ran.code == 0
    assert files_in(tmp_path) == FILES
    assert (tmp_path / ".gitignore").read_text() == ".reconciler/\n"
    (entry,) = load_accounts().accounts
    assert (entry.name, entry.api_key_env, entry.livemode) == ("sandbox", "STRIPE_API_KEY", False)
    assert run("validate").code == 0
    for name in ("meters/meters.yaml", "reconciler.yaml"):
        file = tmp_path / name
        hint = file.read_text().splitlines()[0].partition("$schema=")[2]
        assert (file.parent / hint).exists()
        assert not stat.S_IMODE(file.stat().st_mode) & 0o111
    assert "`reconciler import --into meters/adopted.yaml`" in " ".join(ran.out.split())


def test_the_json_names_every_file(tmp_path, run):
    words = ("--account", "main", "--livemode", "--ci", "gitlab", "--format", "json")
    document = held(run("init", tmp_path / "a" / "b", *words).out)
    assert (document["account"]["name"], document["declared"]) == ("main", 0)
    paths = [os.path.relpath(file["path"], tmp_path / "a" / "b") for file in document["files"]]
    assert sorted(paths) == sorted([*FILES, ".gitlab-ci.yml"])
    (entry,) = load_accounts(tmp_path / "a" / "b").accounts
    assert entry.livemode


def test_every_file_that_exists_is_named_and_nothing_is_written(tmp_path, run):
    for name in ("schemas", "meters"):
        (tmp_path / name).mkdir()
    (tmp_path / "schemas" / "meters.schema.json").symlink_to("nowhere")
    (tmp_path / "schemas" / "project.schema.json").write_text("mine")
    before = files_in(tmp_path)
    ran = run("init", tmp_path)
    said = " ".join(ran.out.split())
    assert (ran.code, files_in(tmp_path)) == (1, before)
    assert said.count("error E006") == 2
    assert "schemas/meters.schema.json: error E006: exists already; nothing was written" in said


def test_a_folder_of_a_project_is_refused(world, run):
    made = world()
    (made.folder / "sub").mkdir()
    for path in (made.folder, made.folder / "sub", made.folder / "new" / "er"):
        ran = run("init", path)
        assert ran.code == 1
        assert "reconciler.yaml: error E006: exists already" in " ".join(ran.out.split())
    assert not (made.folder / "new").exists()
    ran = run("init", made.folder / "reconciler.yaml")
    assert (ran.code, "is not a folder" in " ".join(ran.out.split())) == (64, True)


GITIGNORE = [
    ("a", "a\n.reconciler/\n"),
    ("a\r\n", "a\r\n.reconciler/\r\n"),
    ("/.reconciler\n", None),
    ("**/.reconciler/\n", None),
]


@pytest.mark.parametrize(("before", "after"), GITIGNORE)
def test_a_gitignore_gets_one_line(before, after, tmp_path, run):
    file = tmp_path / ".gitignore"
    file.write_bytes(before.encode())
    ran = run("init", tmp_path, "--format", "json")
    assert file.read_bytes().decode() == (after or before)
    changed = [file["change"] for file in held(ran.out)["files"]]
    assert ("extended" in changed) is (after is not None)


def test_meters_that_files_declare_already_are_kept(account, run):
    """They lie where the new project reads them; only the others are adopted."""
    made = account(existing("calls", "Calls", "sum"), existing("seats", "Seats"))
    (made.folder / "meters").mkdir()
    for name, entries in (("mine.yaml", f"\n  - {CALLS}"), ("meters/meters.yaml", " []")):
        made.file(name, f"version: 1\nmeters:{entries}\n")
    assert run("init", made.folder, "--from-account", *reach(made)).code == 0
    assert "calls" not in (made.folder / "meters" / "adopted.yaml").read_text()
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


WRONG = {
    "variable": (("--api-key-env", "1X"), "environment variable may contain only letters"),
    "name": (("--account", "-/"), "an account name must start with a letter"),
    "address": (("--api-base", "http://example.com"), "api_base"),
    "key": (("--api-key-env", "sk_test_4eC39HqLyjWDarjtT1zdp7dc"), "an option contains an API key"),
    "code host": (("--ci", "jenkins"), "invalid choice"),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options_are_one_usage_error(words, message, tmp_path, run):
    ran = run("init", tmp_path, f"{words[0]}={words[1]}")
    assert ran.code == 64
    assert message in " ".join(ran.out.split())
    assert "4eC39" not in ran.out + ran.err
    assert files_in(tmp_path) == []


def test_an_account_that_cannot_be_read_leaves_nothing(account, run, monkeypatch):
    """No key, no permission, and a key of the other mode."""
    monkeypatch.setenv("SANDBOX_KEY", "rk_test_x")
    key = Key("rk_test_x", frozenset({"plan_read"}))
    made = account(existing("calls", "Calls"), settings=Settings(keys=(key,)))
    words = ("init", made.folder, "--from-account")
    assert run(*words, *reach(made)).code == 6
    assert run(*words).code == 6
    assert files_in(made.folder) == []


def test_the_other_mode_is_refused(account, run):
    made = account(existing("calls", "Calls"))
    ran = run("init", made.folder, "--from-account", "--livemode", *reach(made))
    assert ran.code == 3
    assert files_in(made.folder) == []


def test_a_failure_between_two_files_leaves_nothing(tmp_path, run, monkeypatch):
    """Neither files nor folders; an interruption neither."""
    link = os.link
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):
        left = [3]

        def fail(*names, error=error, left=left):
            left[0] -= 1
            if not left[0]:
                raise error
            link(*names)

        monkeypatch.setattr(new_files.os, "link", fail)
        ran = run("init", tmp_path / "a" / "b")
        assert ran.code == (1 if isinstance(error, OSError) else 130)
        assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_hard_links(tmp_path, run, monkeypatch):
    def fail(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(new_files.os, "link", fail)
    assert run("init", tmp_path).code == 0
    assert files_in(tmp_path) == FILES


@pytest.fixture
def terminal(monkeypatch):
    """Questions can be asked."""
    monkeypatch.setattr(Console, "interactive", property(lambda _: True))


@pytest.mark.usefixtures("terminal")
def test_a_terminal_is_asked_what_the_options_do_not_say(account, run):
    made = account(existing("calls", "Calls"))
    folder = made.folder / "billing"
    answers = "SANDBOX_KEY\n\nmain\n\ngithub\n"
    ran = run("init", folder, "--api-base", made.server.url, stdin=answers)
    assert ran.code == 0, ran.out
    assert ran.err.count("?") == 2
    (entry,) = load_accounts(folder).accounts
    assert (entry.name, len(entry.declared)) == ("main", 1)
    assert (folder / ".github" / "workflows" / "meters.yml").exists()


@pytest.mark.usefixtures("terminal")
def test_the_end_of_input_takes_the_defaults_and_nonsense_is_refused(tmp_path, run):
    ran = run("init", tmp_path / "a", "--livemode")
    assert ran.code == 0
    (entry,) = load_accounts(tmp_path / "a").accounts
    assert (entry.name, entry.api_key_env) == ("production", "STRIPE_API_KEY")
    ran = run("init", tmp_path / "b", "--account", "x", stdin="\n\njenkins\n")
    assert ran.code == 64
    assert not (tmp_path / "b").exists()


def test_a_pipeline_that_exists_includes_the_new_one(tmp_path, run):
    """At the root of the repository, where a file of the project would match its patterns."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitlab-ci.yml").write_text("stages: [build]\n")
    (tmp_path / "mine.yml").write_text(f"version: 1\nmeters:\n  - {CALLS}\n")
    ran = run("init", tmp_path, "--ci", "gitlab")
    assert ran.code == 0
    assert (tmp_path / ".gitlab-ci.yml").read_text() == "stages: [build]\n"
    assert (tmp_path / ".gitlab" / "meters.gitlab-ci.yml").exists()
    assert "`include: {local: .gitlab/meters.gitlab-ci.yml}`" in " ".join(ran.out.split())
    assert run("validate", tmp_path).code == 0


def test_the_workflow_is_at_the_root_of_the_repository(tmp_path, run, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    assert run("init", "billing", "--ci", "github").code == 0
    for name, command in (("meters.yml", "plan"), ("meters-drift.yml", "drift")):
        text = (tmp_path / ".github" / "workflows" / name).read_text()
        assert f'with: {{command: {command}, path: "deep/billing"}}' in text
    assert (
        "in deep/billing/reconciler.yaml" in (tmp_path / ".github/workflows/meters.yml").read_text()
    )


def test_files_of_other_tools_do_not_matter(tmp_path, run):
    """As at the root of a repository."""
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "broken.yml").write_text("[")
    assert run("init", tmp_path).code == 0
    assert run("validate", tmp_path).code == 0


def test_a_key_that_cannot_read_its_account_leaves_the_id_to_be_added(account, run, monkeypatch):
    """Else nothing refuses another account."""
    key = Key("rk_test_x", frozenset({"billing_meter_read", "plan_read", "subscription_read"}))
    monkeypatch.setenv("SANDBOX_KEY", "rk_test_x")
    made = account(existing("calls", "Calls"), settings=Settings(keys=(key,)))
    ran = run("init", made.folder, "--from-account", *reach(made))
    assert ran.code == 0
    assert "add `account_id: acct_…` to sandbox in the project file" in " ".join(ran.out.split())
