"""What the rows measure: each function prepares a case, whose runs can be repeated."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from . import floors, projects
from .emulator import Emulator, Sent, emulating
from .processes import ROOT, BenchmarkError, Sample, environment, python, run

THREADS = 64
"""Threads of a floor that sends as much as it can at once."""

LIMIT = 25
"""Requests a second that Stripe allows each endpoint by default."""


class Skipped(Exception):
    """Why a row cannot be measured here."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run of ours, and one of the floor, which receives what the run before it took."""

    ours: Callable[[], Sample]
    floor: Callable[[Sample], Sample]
    floor_title: str


@dataclass(slots=True)
class Workshop:
    """Folders and emulators of a benchmark; emulators are used again by rows of the same size."""

    stack: ExitStack
    emulators: dict[tuple[int, int, bool], Emulator] = field(default_factory=dict)

    def make_folder(self) -> Path:
        """Make a folder that is removed at the end."""
        return Path(self.stack.enter_context(TemporaryDirectory(prefix="benchmark-")))

    def get_emulator(
        self, meters: int, latency: int, *, accounts: int = 0, timed: bool = False
    ) -> Emulator:
        """Return an emulator with so many meters that answers after so many milliseconds."""
        key = (meters, accounts, timed)
        if key not in self.emulators:
            seed = projects.write_seed(self.make_folder(), meters, accounts)
            self.emulators[key] = self.stack.enter_context(emulating(seed, timed=timed))
        self.emulators[key].set_switches(latency=f"{latency}ms", rate_limit=None)
        self.emulators[key].take_requests()
        return self.emulators[key]


Scenario = Callable[[Workshop], Case]


def start(*words: str, floor: tuple[str, ...] = ("-c", "pass")) -> Scenario:
    """A command that needs no account, beside the start of an interpreter."""

    def prepare(workshop: Workshop) -> Case:
        folder = workshop.make_folder()
        package = folder / "empty"
        package.mkdir()
        for name in ("__init__.py", "__main__.py"):
            (package / name).write_text("", "utf-8")
        env = environment(folder)
        return Case(
            lambda: python("-m", "reconciler", *words, cwd=ROOT, env=env),
            lambda _: python(*floor, cwd=ROOT, env=env),
            f"`python {' '.join(floor)}`",
        )

    return prepare


def read_account(command: str, meters: int, latency: int) -> Scenario:
    """`plan` or `drift` of an account in sync, beside the bare listing of its meters."""

    def prepare(workshop: Workshop) -> Case:
        emulator, folder = workshop.get_emulator(meters, latency), workshop.make_folder()
        projects.write_project(folder, emulator.url)
        projects.write_meters(folder, meters)
        return _listing(emulator, folder, command)

    return prepare


def import_meters(meters: int, latency: int) -> Scenario:
    """`import` of meters that no file declares, beside the bare listing of them."""

    def prepare(workshop: Workshop) -> Case:
        emulator, folder = workshop.get_emulator(meters, latency), workshop.make_folder()
        projects.write_project(folder, emulator.url)
        projects.write_meters(folder, 0)
        return _listing(emulator, folder, "import")

    return prepare


def _listing(emulator: Emulator, folder: Path, command: str) -> Case:
    def ours() -> Sample:
        sample = python("-m", "reconciler", command, str(folder), "--quiet", cwd=folder)
        return count_requests(sample, emulator.take_requests())

    def floor(_: Sample) -> Sample:
        sample = floors.list_meters(emulator.address)
        emulator.take_requests()
        return sample

    return Case(ours, floor, "bare listing")


def count_requests(sample: Sample, sent: list[Sent]) -> Sample:
    """Return the sample with the requests of its run, and those that a limit rejected."""
    rejected = sum(each.status == 429 for each in sent)
    return replace(sample, requests=len(sent), rejected=rejected)


def create(meters: int, latency: int) -> Scenario:
    """`apply` that creates meters, beside the same POSTs on bare threads."""

    def prepare(workshop: Workshop) -> Case:
        emulator, folder = workshop.get_emulator(0, latency), workshop.make_folder()
        projects.write_project(folder, emulator.url)
        projects.write_meters(folder, meters)
        posts = [_describe_create(n) for n in range(meters)]

        def floor(_: Sample) -> Sample:
            batches = [floors.Batch([post]) for post in posts]
            sample = floors.send_batches(emulator.address, batches, THREADS)
            emulator.take_requests()
            emulator.reset()
            return sample

        title = f"{meters:,} POSTs, {THREADS} threads"
        return Case(lambda: apply(emulator, folder, meters), floor, title)

    return prepare


def create_limited(meters: int, latency: int, rate_limit: float) -> Scenario:
    """`apply` against a limit; the floor is the time that its requests take at that limit."""

    def prepare(workshop: Workshop) -> Case:
        emulator, folder = workshop.get_emulator(0, latency, timed=True), workshop.make_folder()
        emulator.set_switches(rate_limit=LIMIT)
        projects.write_project(folder, emulator.url, rate_limit)
        projects.write_meters(folder, meters)

        def ours() -> Sample:
            emulator.moments.clear()
            sample = apply(emulator, folder, meters)
            if len(emulator.moments) != sample.requests:
                raise BenchmarkError(f"{len(emulator.moments)} times, {sample.requests} requests")
            return replace(sample, span=max(emulator.moments) - min(emulator.moments))

        def floor(sample: Sample) -> Sample:
            seconds = sample.requests / LIMIT
            return Sample(seconds, span=seconds)

        return Case(ours, floor, f"its requests / {LIMIT}")

    return prepare


def _describe_create(n: int) -> Sent:
    return Sent("POST", floors.METERS, projects.describe_meter(n), 200)


def apply(emulator: Emulator, folder: Path, meters: int, *words: str) -> Sample:
    """Create so many meters in empty accounts, which are empty again after it."""
    sample, sent = apply_and_undo(emulator, folder, meters, *words)
    return count_requests(sample, sent)


def apply_and_undo(
    emulator: Emulator, folder: Path, meters: int, *words: str
) -> tuple[Sample, list[Sent]]:
    """Apply, and restore the accounts and the folder; return the requests as well."""
    command = ("apply", str(folder), "--yes", "--quiet", *words)
    sample = python("-m", "reconciler", *command, cwd=folder)
    sent = emulator.take_requests()
    created = sum(each.method == "POST" and each.status == 200 for each in sent)
    if created != meters:
        raise BenchmarkError(f"{created} of {meters} meters were created")
    emulator.reset()
    shutil.rmtree(folder / ".reconciler")
    return sample, sent


_READ_EVENTS = """
import sys, yaml
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        for event in yaml.parse(file, Loader=yaml.CSafeLoader):
            pass
"""


def validate(meters: int, files: int) -> Scenario:
    """`validate` of files, beside libyaml that reads the same files."""

    def prepare(workshop: Workshop) -> Case:
        folder = workshop.make_folder()
        projects.write_project(folder, "https://api.stripe.com")
        declared = projects.write_meters(folder, meters, files)
        names = [file.name for file in declared]
        return Case(
            lambda: python("-m", "reconciler", "validate", str(folder), "--quiet", cwd=folder),
            lambda _: python("-c", _READ_EVENTS, *names, cwd=folder),
            "libyaml",
        )

    return prepare


def show_history(commits: int) -> Scenario:
    """`history --meter` of a meter that every commit changes, beside `git log --patch`."""

    def prepare(workshop: Workshop) -> Case:
        git = shutil.which("git")
        if not git:
            raise Skipped("git is not installed")
        emulator, folder = workshop.get_emulator(10, 0), workshop.make_folder()
        projects.write_project(folder, emulator.url)
        projects.commit_versions(folder, 10, commits)
        words = ("history", str(folder), "--meter", "meter_0", "--quiet")
        return Case(
            lambda: python("-m", "reconciler", *words, cwd=folder),
            lambda _: run(git, "log", "--patch", "--", "*.yaml", cwd=folder),
            "`git log --patch`",
        )

    return prepare
