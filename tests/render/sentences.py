"""What each sentence of a summary claims, checked against the JSON report of the same run."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.render import render
from reconciler.report.report import Report

ENDED = {
    1: "Failed",
    3: "Refused",
    4: "The plan is stale",
    6: "Missing or invalid API key, or insufficient permissions",
    64: "Invalid command line",
    130: "Interrupted",
}
NOUNS = {
    "create": "create",
    "reactivate": "reactivation",
    "update": "update",
    "replace": "replacement",
    "deactivate": "deactivation",
}
WORDS = {"done": "changed", "already": "already as planned"}
SEVERITIES = ("revenue", "high", "low")


@dataclass(frozen=True, slots=True)
class Facts:
    """A JSON report, or its part on one account, as sentences refer to it."""

    command: str
    exit_code: int
    complete: bool
    accounts: list[dict[str, Any]]
    diagnostics: list[dict[str, Any]]

    @property
    def changes(self) -> list[dict[str, Any]]:
        return [change for each in self.accounts for change in each["changes"]]

    @property
    def results(self) -> Counter[str]:
        return Counter(each["result"]["status"] for each in self.changes if "result" in each)

    @property
    def writing(self) -> list[dict[str, Any]]:
        return [each for each in self.changes if each["action"] in NOUNS]

    @property
    def sent(self) -> bool:
        """Whether any request was sent to change something."""
        return any(each.get("result", {}).get("requests") for each in self.changes)

    @property
    def has_effect(self) -> bool:
        """Whether a change was made, or may have been."""
        return bool(self.results["done"] or self.results["unknown"])

    @property
    def codes(self) -> set[str]:
        return {each["code"] for each in self.diagnostics}

    @property
    def planned(self) -> Counter[str]:
        return Counter(NOUNS[each["action"]] for each in self.writing)

    @property
    def open(self) -> Counter[str]:
        """The changes that were not made, by the word for what kept them from it."""
        return Counter(filter(None, map(_name_end, self.changes)))

    @property
    def found(self) -> dict[str, set[str]]:
        """The severities of the findings of each event_name that are not exempt."""
        found: dict[str, set[str]] = {}
        for one in (one for each in self.accounts for one in each.get("findings", ())):
            if one["event_name"] is not None:
                known = found.setdefault(one["event_name"], set())
                known |= {one["severity"]} if one["exemption"] is None else set()
        return found

    def count(self, word: str) -> int:
        """How many of something there are, by the word for it in a summary."""
        if self.command == "drift":
            return self._count_entries(word)
        if word in (named := {WORDS.get(status, status): n for status, n in self.results.items()}):
            return named[word]
        pending = [each for each in self.changes if "result" not in each]
        if word == "refused":
            return sum(bool(each["refused_by"]) for each in pending)
        if word in ("unchanged", "retired"):
            same = [each["reason"] for each in pending if each["action"] == "unchanged"]
            return sum((reason == "retired") is (word == "retired") for reason in same)
        if word in ("blocked", "unmanaged"):
            return sum(each["action"] == word for each in pending)
        return self.planned[word.removesuffix("s")]

    def _count_entries(self, word: str) -> int:
        worst = [next((s for s in SEVERITIES if s in some), "") for some in self.found.values()]
        if word == "ignored":
            return worst.count("")
        if word == "unmanaged":
            every = [one["kind"] for each in self.accounts for one in each["findings"]]
            total = sum(each["summary"]["unmanaged"] for each in self.accounts)
            return total - every.count("unmanaged")
        if word == "without findings":
            return sum(each["summary"]["unchanged"] for each in self.accounts)
        return worst.count(word)


def _name_end(change: dict[str, Any]) -> str | None:
    status = change.get("result", {}).get("status")
    if change["action"] == "blocked":
        return "blocked"
    if change["refused_by"]:
        return "refused"
    named = {None: None, "done": None, "already": None, "unknown": "unknown"}
    return named.get(status, "not applied")


def _read_counts(listed: str) -> dict[str, int]:
    """Return the numbers of a text as `1 create, 2 updates`, by their words."""
    return {word: int(n) for n, word in re.findall(r"(\d+) ([a-z ]+?)(?:, |$)", listed)}


def _has_all(facts: Facts, listed: str) -> bool:
    """Whether each number of `1 create, 2 updates` is right."""
    said = _read_counts(listed)
    return bool(said) and all(facts.count(word) == n for word, n in said.items())


def _is_applied(facts: Facts, done: str, rest: str) -> bool:
    return facts.results["done"] == int(done) > 0 and _read_counts(rest) == dict(facts.open)


def _is_made(facts: Facts) -> bool:
    return all(each["result"]["status"] in ("done", "already") for each in facts.writing)


def _drifted(facts: Facts) -> int:
    return sum(map(bool, facts.found.values()))


_MADE = "Not confirmed: every change was made, but "

Claim = Callable[..., bool]
CLAIMS: dict[str, Claim] = {
    r"The files are valid\.": lambda f: f.exit_code == 0 and not _errors(f),
    r"The files have errors\.": lambda f: f.exit_code == 1 and _errors(f) > 0,
    r"No drift\.": lambda f: _drifted(f) == 0 and f.exit_code == 0,
    r"No drift, but an exemption has expired\.": lambda f: (
        _drifted(f) == 0 and f.exit_code == 2 and _expired(f)
    ),
    r"Drift: (\d+) event_names? not as declared\.": lambda f, n: _drifted(f) == int(n) > 0,
    r"Apply complete: (.+)\.": lambda f, listed: (
        f.exit_code == 0
        and f.command == "apply"
        and _has_all(f, listed)
        and _is_made(f)
        and all(f"{n} {WORDS[status]}" in listed for status, n in f.results.items())
    ),
    r"No changes to apply\.": lambda f: (
        f.command == "apply" and f.exit_code == 0 and not f.writing and not f.sent
    ),
    r"No changes\. The account matches the configuration\.": lambda f: (
        f.command == "plan"
        and f.exit_code == 0
        and f.complete
        and {each["action"] for each in f.changes} <= {"unchanged"}
    ),
    r"No changes\. Every declared meter is as declared\.": lambda f: (
        f.exit_code == 0 and f.complete and not f.writing and f.count("unmanaged") > 0
    ),
    r"No changes\. The evaluated meters are as declared\.": lambda f: (
        f.exit_code == 0 and not f.complete and not f.writing
    ),
    r"Planned: (.+)\.": lambda f, listed: (
        f.command == "plan"
        and f.exit_code in (0, 2)
        and _has_all(f, listed)
        and sum(f.planned.values()) == sum(map(int, re.findall(r"\d+", listed)))
    ),
    r"Refused: apply makes no changes until the errors are fixed\.": lambda f: (
        f.command == "plan" and f.exit_code == 3 and _errors(f) > 0
    ),
    r"(\d+) changes? applied((?:, \d+ [a-z ]+)*)\.": lambda f, done, rest: (
        f.exit_code == 3 and _is_applied(f, done, rest)
    ),
    r"Partial apply: some changes may have been made, not all are confirmed\.": lambda f: (
        f.exit_code == 5 and not _is_made_and_reported(f)
    ),
    rf"{_MADE}the account does not show all of them\.": lambda f: (
        f.exit_code == 5 and _is_made(f) and "A102" in f.codes
    ),
    rf"{_MADE}the account could not be read again\.": lambda f: (
        f.exit_code == 5 and _is_made(f) and "A103" in f.codes
    ),
    r"Cancelled\. Nothing was changed in Stripe\.": lambda f: (
        f.exit_code == 1 and "U101" in f.codes and not f.sent
    ),
    r"(\D+?): (\d+) changes? applied((?:, \d+ [a-z ]+)*)\.": lambda f, how, done, rest: (
        ENDED[f.exit_code] == how and _is_applied(f, done, rest)
    ),
    r"(\D+?)\. Nothing was changed in Stripe\.": lambda f, how: (
        ENDED[f.exit_code] == how and not f.has_effect
    ),
    r"(\D+)\.": lambda f, how: ENDED[f.exit_code] == how and not f.results["done"],
}
NOTES: dict[str, Claim] = {
    "Partial run: undeclared meters were not evaluated.": lambda f: (
        not f.complete and "P104" in f.codes
    ),
    "Incomplete run: not everything could be read.": lambda f: (
        not f.complete and "P104" not in f.codes
    ),
    "Changes older than 30 days cannot be attributed.": lambda f: any(
        (one["attribution"] or {}).get("origin") == "older"
        for each in f.accounts
        for one in each["findings"]
    ),
}


def _errors(facts: Facts) -> int:
    return sum(each["level"] == "error" for each in facts.diagnostics)


def _expired(facts: Facts) -> bool:
    return any(one["code"] == "D010" for each in facts.accounts for one in each["findings"])


def _is_made_and_reported(facts: Facts) -> bool:
    ends = {each["exit_code"] for each in facts.accounts}
    return ends <= {0, 5} and all("result" in each for each in facts.writing) and _is_made(facts)


def check(document: dict[str, Any], comment: str) -> list[str]:
    """Check every sentence of a comment in Markdown; return the verdict of the run, then the rest.

    A sentence that is not known here is an error: for a new one, add what it claims.
    """
    whole = Facts(
        document["command"],
        document["exit_code"],
        document["complete"],
        document["accounts"],
        [*document["diagnostics"], *(d for a in document["accounts"] for d in a["diagnostics"])],
    )
    said = [_unescape(line[2:]) for line in comment.splitlines() if line.startswith("> ")]
    assert said[0].startswith("[!"), comment
    end = next((n for n, line in enumerate(said[1:], 1) if line.startswith("[!")), len(said))
    verdict, *rest = said[1:end]
    _check_verdict(verdict.strip("*"), whole)
    for sentence in rest:
        if claim := NOTES.get(sentence):
            assert claim(whole), (sentence, document)
        else:
            assert _has_all(whole, sentence), (sentence, document)
    assert whole.complete or not document["accounts"] or set(rest) & set(NOTES), document
    for row in _list_rows(comment):
        _check_row(row, whole)
    return [verdict.strip("*"), *rest]


def _check_verdict(sentence: str, facts: Facts) -> None:
    for pattern, claim in CLAIMS.items():
        if found := re.fullmatch(pattern, sentence):
            assert claim(facts, *found.groups()), (sentence, facts)
            return
    raise AssertionError(f"no claim is known for {sentence!r}")


def _check_row(row: list[str], whole: Facts) -> None:
    """Check the verdict and the counts of one account in a run over several."""
    name, _, verdict, counts = row
    (account,) = [each for each in whole.accounts if each["account"]["name"] == name.strip("`")]
    facts = Facts(
        whole.command,
        account["exit_code"],
        account["complete"],
        [account],
        account["diagnostics"],
    )
    _check_verdict(verdict, facts)
    assert not counts or _has_all(facts, counts), (counts, account)


def _list_rows(comment: str) -> Iterator[list[str]]:
    """Yield the rows of the table of accounts."""
    _, found, table = comment.partition("| Account | Mode | Verdict | Counts |\n")
    for line in table.splitlines()[1:] if found else ():
        if not line.startswith("|"):
            return
        yield [_unescape(cell.strip()) for cell in line.strip("|").split("|")]


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", html.unescape(text))


def check_report(report: Report) -> list[str]:
    """Check the summary of a report."""
    return check(json.loads(render(report, "json")), render(report, "markdown"))
