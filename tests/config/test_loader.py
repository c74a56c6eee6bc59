"""From a path to a project: declarations, accounts and locations."""

from pathlib import Path

import pytest

from reconciler.config import load
from reconciler.diagnostics.diagnostic import Location
from reconciler.diagnostics.errors import ConfigError
from reconciler.model.meter import CustomerMapping, DefaultAggregation, Meter, Status, ValueSettings
from reconciler.model.project import Account, MeterConfig, Policy


def meter(name: str, *more: str) -> str:
    entry = (f"event_name: {name}", f"display_name: The {name}", *more)
    if not any(line.startswith("default_aggregation") for line in more):
        entry += ("default_aggregation: {formula: sum}",)
    return "  - " + "\n    ".join(entry) + "\n"


def write(path: Path, *meters: str, head: str = "version: 1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + "meters:\n" + "".join(meters) if meters else head + "meters: []\n")
    return path


def declared(path) -> dict[str, MeterConfig]:
    (account,) = load(path).accounts
    return {one.event_name: one for one in account.declared}


def test_all_keys_of_a_meter(tmp_path):
    """Omitted keys have the server's default."""
    full = (
        "value_settings: {event_payload_key: amount}",
        "customer_mapping: {type: by_id, event_payload_key: who}",
        "event_time_window: hour",
        "status: inactive",
        "retires: [mtr_1, mtr_2]",
        "accepts: {prices: [price_9]}",
        "default_aggregation: {formula: last}",
    )
    write(tmp_path / "m.yaml", meter("full", *full), meter("bare", "protect: true"))
    found = declared(tmp_path)
    assert list(found) == ["bare", "full"]
    assert found["full"] == MeterConfig(
        meter=Meter(
            event_name="full",
            display_name="The full",
            default_aggregation=DefaultAggregation("last"),
            value_settings=ValueSettings("amount"),
            customer_mapping=CustomerMapping("by_id", "who"),
            event_time_window="hour",
        ),
        location=Location(f"{tmp_path}/m.yaml", 3, 5, 11, 41),
        status=Status.INACTIVE,
        retires=("mtr_1", "mtr_2"),
        accepted_prices=("price_9",),
    )
    assert found["bare"].protect
    assert found["bare"].meter.customer_mapping == CustomerMapping()
    assert found["bare"].meter.value_settings == ValueSettings()


def test_defaults_are_merged_key_by_key(tmp_path):
    """Mappings are merged, other values replaced; another file is not affected."""
    head = """\
version: 1
defaults:
  default_aggregation: {formula: count}
  customer_mapping: {event_payload_key: who}
  value_settings: {event_payload_key: amount}
  event_time_window: day
  protect: true
"""
    own = (
        "customer_mapping: {type: by_id}",
        "value_settings: {event_payload_key: bytes}",
        "event_time_window: hour",
        "protect: false",
    )
    plain = "  - {event_name: plain, display_name: Plain}\n"
    write(tmp_path / "a.yaml", plain, meter("own", *own), head=head)
    write(tmp_path / "b.yaml", meter("other"))
    found = declared(tmp_path)
    merged = [found[name] for name in ("plain", "own", "other")]
    assert [one.meter.default_aggregation.formula for one in merged] == ["count", "sum", "sum"]
    keys = [one.meter.customer_mapping.event_payload_key for one in merged]
    assert keys == ["who", "who", "stripe_customer_id"]
    amounts = [one.meter.value_settings.event_payload_key for one in merged]
    assert amounts == ["amount", "bytes", "value"]
    assert [one.meter.event_time_window for one in merged] == ["day", "hour", None]
    assert [one.protect for one in merged] == [True, False, False]


def test_the_default_account(tmp_path):
    """A test account with its key in STRIPE_API_KEY and the default policy."""
    write(tmp_path / "m.yaml")
    project = load(tmp_path)
    read = (f"{tmp_path}/m.yaml",)
    assert project.accounts == (Account(name="default", api_key_env="STRIPE_API_KEY", files=read),)
    assert project.accounts[0].policy == Policy()
    assert (project.root, project.selected, project.diagnostics) == (str(tmp_path), None, ())


def test_every_yaml_file_below_the_folder_is_read_except_dotfiles(tmp_path):
    """*.yaml and *.yml, at any depth."""
    for name in ("a.yaml", "b.yml", "x/y/z/c.yaml", ".d.yaml", ".git/e.yaml", "x/.f/g.yml"):
        write(tmp_path / name, meter(Path(name).stem.strip(".")))
    (tmp_path / "notes.txt").write_text("no YAML: [")
    (tmp_path / "folder.yaml").mkdir()
    assert list(declared(tmp_path)) == ["a", "b", "c"]


PATTERNS = {
    "*.yaml": ["top"],
    "**/*.yaml": ["deep", "inner", "top"],
    "./meters//*.yaml": ["inner"],
    "meters/**": ["deep", "inner", "other"],
    "m*/**/d*.yaml": ["deep"],
    "**/[di]*.yaml": ["deep", "inner"],
    "meters/?????.yaml": ["inner"],
    ".hidden/*": ["hidden"],
    "**/meters/**/*.y*ml": ["deep", "inner", "other"],
}


@pytest.mark.parametrize(("pattern", "names"), PATTERNS.items())
def test_patterns_of_meter_files(tmp_path, pattern, names):
    """`**` matches any number of folders; dotfiles must be named."""
    files = ("top.yaml", "meters/inner.yaml", "meters/other.yml", "meters/a/b/deep.yaml")
    for name in (*files, ".hidden/hidden.yaml"):
        write(tmp_path / name, meter(Path(name).stem))
    (tmp_path / "reconciler.yaml").write_text(f'version: 1\nmeters: ["{pattern}"]\n')
    assert list(declared(tmp_path)) == names


def test_matching_does_not_backtrack(tmp_path):
    write(tmp_path / Path(*"a" * 40) / "m.yaml", meter("a"))
    pattern = "**/a/" * 35 + "*a*a*a*a*a*a*a*b"
    (tmp_path / "reconciler.yaml").write_text(f'version: 1\nmeters: ["{pattern}"]\n')
    with pytest.raises(ConfigError, match="C006"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (".", "meters/ai.yaml"),
        ("./", "meters/ai.yaml"),
        ("meters", "meters/ai.yaml"),
        ("./meters/ai.yaml", "meters/ai.yaml"),
        ("meters/../meters/ai.yaml", "meters/ai.yaml"),
        ("../project", "../project/meters/ai.yaml"),
        ("../project/reconciler.yaml", "../project/meters/ai.yaml"),
        ("reconciler.yaml", "meters/ai.yaml"),
    ],
)
def test_locations_begin_with_the_given_path(tmp_path, monkeypatch, given, shown):
    folder = tmp_path / "project"
    write(folder / "meters" / "ai.yaml", meter("a"))
    (folder / "reconciler.yaml").write_text("version: 1\n")
    monkeypatch.chdir(folder)
    (account,) = load(given).accounts
    assert account.declared[0].location.file == shown


def test_one_meter_file_belongs_to_the_project_around_it(tmp_path, monkeypatch):
    """Its accounts and policy apply, and every file is read and checked."""
    write(tmp_path / "meters" / "a.yaml", meter("a"))
    write(tmp_path / "live" / "b.yaml", meter("b"))
    (tmp_path / "reconciler.yaml").write_text(
        "version: 1\npolicy: {max_deactivations: 5}\nmeters: [meters/*.yaml]\naccounts:\n"
        "  x: {api_key_env: X}\n  live: {api_key_env: L, meters: [live/*.yaml, meters/*.yaml]}\n"
    )
    project = load(tmp_path / "meters" / "a.yaml")
    assert project.selected == {f"{tmp_path}/meters/a.yaml"}
    assert [len(account.declared) for account in project.accounts] == [1, 2]
    assert [account.policy.max_deactivations for account in project.accounts] == [5, 5]
    monkeypatch.chdir(tmp_path / "live")
    project = load("b.yaml")
    assert (project.root, project.selected) == (str(tmp_path), {"../live/b.yaml"})
    (tmp_path / "meters" / "broken.yaml").write_text("version: [")
    with pytest.raises(ConfigError, match="Y003"):
        load("b.yaml")


def test_one_meter_file_that_no_account_reads_is_refused(tmp_path):
    """A run of the whole project would treat its meters as undeclared."""
    write(tmp_path / "draft.yaml", meter("a"))
    (tmp_path / "reconciler.yaml").write_text("version: 1\nmeters: ['m/*.yaml']\n")
    with pytest.raises(ConfigError, match="C023"):
        load(tmp_path / "draft.yaml")


def test_the_search_for_the_project_file_ends_at_the_root_of_the_repository(tmp_path):
    """The folder that contains `.git`."""
    (tmp_path / "reconciler.yaml").write_text("not: read")
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    project = load(write(tmp_path / "repo" / "m.yaml", meter("a")))
    assert [account.name for account in project.accounts] == ["default"]
    assert project.selected is not None
    assert load(tmp_path / "repo").selected is None


def test_a_single_file_without_a_project_may_have_any_name(tmp_path):
    assert list(declared(write(tmp_path / "[x]*.txt", meter("a")))) == ["a"]


def test_a_folder_below_a_project_file_is_a_part_of_the_project(tmp_path):
    """Its accounts and its policy apply; a link to the folder is not another project."""
    write(tmp_path / "project" / "meters" / "a.yaml", meter("a"))
    text = "version: 1\naccounts: {x: {api_key_env: X}}\n"
    (tmp_path / "project" / "reconciler.yaml").write_text(text)
    (tmp_path / "link").symlink_to("project/meters")
    for path in (tmp_path / "project" / "meters", tmp_path / "link"):
        project = load(path)
        assert [account.name for account in project.accounts] == ["x"]
        assert project.selected == {f"{tmp_path}/project/meters/a.yaml"}
