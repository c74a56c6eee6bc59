"""What the README says is so: its commands run, its output is real, its tables are complete."""

import ast
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from reconciler.diagnostics import codes
from reconciler.diagnostics.codes import CATALOGUE, usage
from reconciler.diagnostics.diagnostic import Rule
from reconciler.diagnostics.errors import Exit
from reconciler.render import FORMATS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def section(name: str) -> str:
    """What stands between `<!-- name -->` and the next `<!-- end -->`."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n(.*?)<!-- end -->", README.read_text(), re.S)
    assert found, f"README.md has no section {name!r}"
    return found.group(1)


def expect(name: str, wanted: str, request: pytest.FixtureRequest) -> None:
    """The section holds this; with --update-golden it is made to."""
    if request.config.getoption("--update-golden"):
        head, rest = README.read_text().split(f"<!-- {name} -->\n", 1)
        tail = rest.split("<!-- end -->", 1)[1]
        README.write_text(f"{head}<!-- {name} -->\n{wanted}<!-- end -->{tail}")
    assert section(name) == wanted


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A fresh copy of the examples, and the current folder beside it."""
    shutil.copytree(
        ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".reconciler")
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_line_does_what_it_says(project, run, request):
    """Every command of the line ends with 0, the first output is the printed one."""
    install, *commands = section("try").strip().split(" && ")
    assert install == "pip install ."
    outputs = []
    for command in commands:
        name, *words = command.split()
        assert name == "reconciler"
        done = run(*words)
        assert done.code == 0, done.err
        outputs.append(done.out)
    expect("output: plan examples/quickstart", f"\n```\n{outputs[0]}```\n\n", request)
    assert run("plan", "examples/quickstart", "--detailed-exitcode").code == 0


EXAMPLES = re.findall(r"<!-- python -->\n+```python\n(.*?)```", README.read_text(), re.S)


@pytest.mark.parametrize("code", EXAMPLES, ids=["pipeline", "client", "asyncio"])
def test_the_python_examples_run(code, project):
    """As they are printed."""
    exec(compile(code, "README.md", "exec"), {})


WORKFLOW = yaml.safe_load(section("workflow").strip().removeprefix("```yaml\n").removesuffix("```"))
STEPS = [(name, step) for name, job in WORKFLOW["jobs"].items() for step in job["steps"]]


def test_the_workflow_shows_a_key_to_our_own_commands_only():
    """Not to what is installed, and the one that writes only to `apply`, in its environment."""
    holders = [(name, step) for name, step in STEPS if "secrets." in yaml.safe_dump(step)]
    assert [step["name"] for _, step in holders] == ["plan", "drift", "apply"]
    for name, step in holders:
        assert "secrets." not in step["run"]
        assert re.search(r"^ *reconciler ", step["run"], re.M)
        writes = "STRIPE_WRITE_KEY" in step["env"]["STRIPE_API_KEY"]
        assert writes is (name == "apply")
    assert "secrets." not in yaml.safe_dump({**WORKFLOW, "jobs": {}})
    assert WORKFLOW["jobs"]["apply"]["environment"]


def test_only_what_writes_is_in_the_concurrency_group():
    """A plan that waits must not cancel an apply that waits."""
    grouped = [name for name, job in WORKFLOW["jobs"].items() if "concurrency" in job]
    assert (grouped, "concurrency" in WORKFLOW) == (["apply"], False)


def test_the_commands_of_the_workflow_run(project, run, monkeypatch):
    """As they stand there, on the example."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    shutil.copytree(project / "examples" / "quickstart", project / "billing")
    lines = [line.strip() for _, step in STEPS for line in step.get("run", "").splitlines()]
    commands = [shlex.split(os.path.expandvars(c)) for c in lines if c.startswith("reconciler ")]
    assert [words[1] for words in commands] == ["validate", "plan", "drift", "apply"]
    codes = {words[1]: run(*words[1:]).code for words in [*commands, commands[2]]}
    assert codes == {"validate": 0, "plan": 0, "apply": 0, "drift": 2}  # one meter is unmanaged
    assert "reconciler account=" in (project / "summary.md").read_text()


def test_every_code_is_in_the_readme(request):
    """The table of diagnostics is the catalogue, no more and no less."""
    rows = [f"| {rule.code} | {rule.level} | {rule.title} |" for rule in CATALOGUE.values()]
    table = "\n".join(["", "| code | | what |", "|---|---|---|", *rows, "", ""])
    expect("codes", table, request)


CODES = ROOT / "reconciler" / "diagnostics" / "codes"


def test_no_code_means_two_things(monkeypatch):
    """The catalogue cannot even be imported with two rules of one code."""
    monkeypatch.setattr(usage, "ANOTHER", Rule("S001", "title", "why", "remedy"), raising=False)
    with pytest.raises(ValueError, match="S001 is the code of two rules"):
        codes._catalogue()


def test_every_code_is_used():
    """A rule that nothing raises would be a promise that nothing keeps."""
    used = {use for path in (ROOT / "reconciler").rglob("*.py") for use in rules_used(path)}
    declared = {
        (module.stem, name): rule.code
        for module in CODES.glob("[a-z]*.py")
        for name, rule in vars(import_module(f"reconciler.diagnostics.codes.{module.stem}")).items()
        if isinstance(rule, Rule)
    }
    assert set(declared.values()) == set(CATALOGUE), "a module is not part of the catalogue"
    assert {code for place, code in declared.items() if place not in used} == set()


def rules_used(path: Path) -> Iterator[tuple[str, str]]:
    """The rules that a file speaks of, each as its module of `codes` and its name there."""
    tree = ast.parse(path.read_text("utf-8"))
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            home = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            if home == CODES:
                modules |= {alias.asname or alias.name: alias.name for alias in node.names}
            elif home.parent == CODES:
                yield from ((home.name, alias.name) for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield modules.get(node.value.id, ""), node.attr


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_can_be_explained(code, run):
    """`explain` says why and what to do."""
    done = run("explain", code)
    assert done.code == 0
    assert CATALOGUE[code].title in done.out


def test_every_exit_code_is_in_the_readme():
    """The table of exit codes names each of them."""
    for code in Exit:
        assert re.search(rf"^\| {int(code)} \|", README.read_text(), re.M), code


def test_every_verb_is_in_the_readme_and_every_documented_verb_exists(run):
    """`--help` and the README's table of commands name the same verbs."""
    documented = set(re.findall(r"^\| `(\w+)` \| .* \| [\d ]+ \|$", README.read_text(), re.M))
    listed = set(re.findall(r"^  ([a-z]+) {2,}\w", run("--help").out, re.M))
    assert documented == listed


def test_every_format_is_in_the_readme():
    """The table of formats is that of the renderers."""
    assert re.findall(r"^\| `(\w+)` \| [^|]* \|$", README.read_text(), re.M) == list(FORMATS)


def test_no_promise_without_its_test():
    """Every test that the documentation of reliability names is there."""
    named = re.findall(
        r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs/reliability.md").read_text()
    )
    assert len(named) > 20
    for path, test in named:
        assert f"def {test}" in (ROOT / path).read_text(), f"{path}::{test}"
