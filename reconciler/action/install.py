"""Install the tool for the Action: run as a script, before there is a package to import.

The installation sees no variable of the job but those that pip needs, so that code which it runs
finds no secret, and it takes dependencies from wheels only, which run no code.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def select_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that pip may see: its own settings, proxies and certificates."""
    return {
        name: value
        for name, value in environ.items()
        if name in _KEPT or name.startswith("PIP_") or name.lower().endswith("_proxy")
    }


def install(environ: Mapping[str, str]) -> Path:
    """Install VERSION from the package index, else the folder SOURCE; return the Python of it."""
    folder = tempfile.mkdtemp(prefix="reconciler-", dir=environ.get("RUNNER_TEMP"))
    has_pip = find_spec("pip") is not None  # else the new environment gets one, which takes seconds
    venv.create(folder, with_pip=not has_pip)
    python = Path(folder, "bin", "python")
    version = environ.get("VERSION", "").strip()
    source = f"meter-reconciler=={version}" if version else environ["SOURCE"]
    options = ("--quiet", "--disable-pip-version-check", "--only-binary", ":all:")
    runs, into = (sys.executable, ("--python", str(python))) if has_pip else (str(python), ())
    command = [runs, "-I", "-m", "pip", *into, "install", *options, "--", source]
    subprocess.run(command, check=True, env=select_environment(environ))  # noqa: S603 - no shell
    return python


if __name__ == "__main__":
    try:
        made = install(os.environ)
    except subprocess.CalledProcessError as error:
        sys.exit(f"the installation failed: pip ended with {error.returncode}")
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as stream:
        stream.write(f"python={made}\n")
