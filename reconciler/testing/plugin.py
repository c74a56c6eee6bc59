"""Fixtures for pytest: an emulator with the project's meters, and a check of what is sent to it.

Only pytest is imported until a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .emulated import EmulatedMeters

_USED = pytest.StashKey["EmulatedMeters"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings of the plugin."""
    parser.addini(
        "reconciler_project",
        "the folder of the project that declares the meters, from the root of the tests",
        default=".",
    )
    parser.addini(
        "reconciler_account", "the account whose meters are served (default: of all)", default=""
    )


@pytest.fixture(scope="session")
def _emulated_meters(pytestconfig: pytest.Config) -> Iterator[EmulatedMeters]:
    from ..diagnostics.errors import ReconcilerError, UsageError
    from .emulated import serve_project

    folder = str(pytestconfig.rootpath / pytestconfig.getini("reconciler_project"))
    account, problem = pytestconfig.getini("reconciler_account") or None, ""
    with ExitStack() as stack:
        try:
            emulated = stack.enter_context(serve_project(folder, account))
        except ReconcilerError as error:
            wrong = "reconciler_account" if isinstance(error, UsageError) else "reconciler_project"
            problem = f"{wrong} is not valid:\n{error}"
        if problem:  # outside of the handler, whose exception pytest would print as well
            pytest.fail(problem, pytrace=False)
        yield emulated


@pytest.fixture
def stripe_meters(
    _emulated_meters: EmulatedMeters, request: pytest.FixtureRequest
) -> EmulatedMeters:
    """Serve the Stripe API with the declared meters; fail the test for usage that would be lost.

    That is usage for an event_name that no meter has, without the customer key or the value key
    of its meter, or with a value that Stripe rejects.
    """
    _emulated_meters.reset()
    request.node.stash[_USED] = _emulated_meters
    return _emulated_meters


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that sent usage that would be lost; say so too where it has failed itself."""
    try:
        result = yield
    except (Exception, pytest.fail.Exception) as error:
        if lost := _describe_lost(item):
            error.add_note(lost)
        raise
    if lost := _describe_lost(item):
        pytest.fail(lost, pytrace=False)
    return result


def _describe_lost(item: pytest.Item) -> str:
    """Return what is wrong with the usage that a test sent; empty if nothing is."""
    emulated = item.stash.get(_USED, None)
    problems = emulated.find_unchecked() if emulated else []
    listed = "".join(f"\n  - {problem}" for problem in problems)
    return f"usage was sent that Stripe would not count:{listed}" if problems else ""
