"""docs/how-to/test-billing-code.md: its files are written, and its tests run, as a reader does."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from clients.stacks import find_program, install_go, install_node, run, run_go_tests

pytestmark = pytest.mark.full

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "test-billing-code.md").read_text("utf-8")
PROGRAMS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
PORT = "12111"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12"


@pytest.fixture
def folder(tmp_path):
    """A folder with every file of the page."""
    for name, text in re.findall(r"`([\w./-]+\.\w+)`:\n\n```\w+\n(.*?)```", PAGE, re.S):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def run_jest(folder, **environment):
    """Run Jest, and return the names of the tests that passed."""
    packages = install_node()
    (folder / "package.json").write_text("{}", "utf-8")
    (folder / "node_modules").symlink_to(packages)
    words = ("--json", "--runInBand", "--cacheDirectory", folder / "cache")
    jest = (find_program("node"), packages / "jest" / "bin" / "jest.js", *words)
    (found,) = json.loads(run(*jest, cwd=folder, PATH=PROGRAMS, **environment))["testResults"]
    return {each["title"]: each["status"] for each in found["assertionResults"]}


PASSED_BY_JEST = {
    "usage is summed": "passed",
    "a lost answer is not billed twice": "passed",
    "a repeated identifier is refused": "passed",
}


def test_with_pytest(folder):
    plugins = ("-p", "no:randomly", "-p", "no:cacheprovider")
    printed = run(sys.executable, "-m", "pytest", "-q", *plugins, cwd=folder)
    assert "3 passed" in printed


def test_with_jest(folder):
    assert run_jest(folder) == PASSED_BY_JEST


def test_with_go(folder):
    printed = run_go_tests([*folder.glob("*.go"), folder / "seed.json"], PATH=PROGRAMS)
    assert re.findall(r"--- (\w+): (\w+)", printed) == [
        ("PASS", "TestUsageIsSummed"),
        ("PASS", "TestALostAnswerIsNotBilledTwice"),
        ("PASS", "TestARepeatedIdentifierIsRefused"),
    ]


def read_dockerfile(folder):
    """Return the arguments of each instruction."""
    lines = (folder / "stripe.Dockerfile").read_text("utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)


@contextmanager
def running_image(folder):
    """Run the command of the image without Docker, on a free port; yield its address."""
    image = read_dockerfile(folder)
    words = json.loads(image["ENTRYPOINT"]) + json.loads(image["CMD"])
    copied, place = shlex.split(image["COPY"])
    words = [str(folder / copied) if word == place else word for word in words]
    child = subprocess.Popen(
        [*words, "--port", "0"],
        env={**os.environ, "PATH": PROGRAMS},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout
        lines = (re.match(r"Emulating Stripe at http://\S+:(\d+)", line) for line in child.stdout)
        found = next(filter(None, lines))
        yield f"http://127.0.0.1:{found[1]}"
    finally:
        child.terminate()
        child.communicate(timeout=10)


def check_health(folder, url):
    """Run the health check of the image."""
    check = json.loads(read_dockerfile(folder)["HEALTHCHECK"].partition(" CMD ")[2])
    run(*[word.replace(f"http://127.0.0.1:{PORT}", url) for word in check], PATH=PROGRAMS)


def test_the_command_of_the_image(folder):
    """It serves the seed at the port that all files name, and its health check knows it."""
    with running_image(folder) as url:
        check_health(folder, url)
        with urllib.request.urlopen(f"{url}/_emulator/state") as answer:
            (account,) = json.load(answer)["accounts"]
    assert [each["id"] for each in account["meters"]] == ["mtr_searches"]
    assert read_dockerfile(folder)["EXPOSE"] == PORT
    with pytest.raises(AssertionError, match="Connection refused"):
        check_health(folder, url)


def test_the_tests_of_the_workflow_use_its_service(folder):
    """The service is what its address names, and the last step passes with it."""
    workflow = yaml.safe_load((folder / ".github/workflows/test.yml").read_text("utf-8"))
    job = workflow["jobs"]["test"]
    assert job["services"]["stripe"]["ports"] == [f"{PORT}:{PORT}"]
    assert job["env"]["STRIPE_API_BASE"] == f"http://127.0.0.1:{PORT}"
    assert job["steps"][-1]["run"] == "npx jest --runInBand"
    with running_image(folder) as url:
        assert run_jest(folder, **job["env"] | {"STRIPE_API_BASE": url}) == PASSED_BY_JEST


def test_the_workflow_is_valid(folder):
    actionlint = shutil.which("actionlint") or install_go(*ACTIONLINT)
    run(actionlint, "-shellcheck=", "-pyflakes=", folder / ".github/workflows/test.yml")


def find_docker():
    """Find Docker with Compose and a daemon, or skip the test."""
    docker = find_program("docker")
    for words, missing in ((("compose", "version"), "Compose"), (("info",), "a running daemon")):
        if subprocess.run([docker, *words], capture_output=True, timeout=60).returncode:
            pytest.skip(f"docker is installed without {missing}")
    return docker


def test_with_docker_compose(folder):
    """The image is built from this tree instead of the address of an archive."""
    docker, packages = find_docker(), install_node()
    run(sys.executable, "-m", "build", "-q", "--wheel", "--outdir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    dockerfile = folder / "stripe.Dockerfile"
    text = dockerfile.read_text("utf-8")
    copied = f"COPY {wheel.name} /tmp/{wheel.name}\nARG RECONCILER=/tmp/{wheel.name}"
    dockerfile.write_text(re.sub("ARG RECONCILER=.*", copied, text), "utf-8")
    run("cp", "-R", packages, folder / "node_modules")
    compose = (docker, "compose", "--progress=quiet")
    try:
        run(*compose, "run", "--rm", "--build", "tests", cwd=folder)
    finally:
        run(*compose, "down", "--rmi", "local", cwd=folder)
