"""Rules E: this machine, its files and the emulator."""

from __future__ import annotations

from ..diagnostic import Effect, Level, Rule

EMULATOR = Rule(
    "E001",
    "the emulator cannot start",
    "The state file is in use by another process, is not an emulator's state or cannot be "
    "written; the seed is invalid; or the port is in use.",
    "see the message: it names the file, the location in the seed, or the setting",
)
FILE_UNWRITABLE = Rule(
    "E002",
    "a file cannot be written",
    "The target of --out or --save is in a folder that does not exist or is not writable, is "
    "a pipe that no process reads, or is on a full disk. Files are written under another name"
    " and renamed when complete. If a report cannot be written, the changes of the run "
    "remain: see `reconciler history`.",
    "name a file in an existing, writable folder, or free disk space",
)
FILE_UNREADABLE = Rule(
    "E003",
    "a file cannot be read",
    "A file that was given does not exist, is not readable, or is not UTF-8 text.",
    "check the path and the permissions: a readable file of UTF-8 text is needed",
)
EXPOSED_EMULATOR = Rule(
    "E004",
    "the emulator can be reached from other machines",
    "`emulate --host` names an address that is not loopback, as a container needs. Anyone who "
    "reaches it can read and change the emulated account: the keys that it accepts are no secrets.",
    "leave out --host, or publish the port on loopback only: docker run -p 127.0.0.1:12111:12111",
    level=Level.WARNING,
)
UNUSED_SEED = Rule(
    "E005",
    "the seed is not used",
    "A seed is the initial state of a new account. The file of --state has an account already, "
    "which is used as it is.",
    "delete the file of --state to start with the seed, or leave out --seed",
    level=Level.WARNING,
)
FILE_EXISTS = Rule(
    "E006",
    "a file exists already",
    "`init` creates every file of a project and never replaces one, so it writes nothing where "
    "one of them exists.",
    "choose another folder; in a project, `reconciler import` adds the meters of the account",
)
DASK_NOT_INSTALLED = Rule(
    "E007",
    "Dask is not installed",
    "`--dask` needs the package `distributed`, which the extra `dask` installs, here and where the "
    "workers run.",
    "pip install 'meter-reconciler[dask]'",
)
DASK_UNAVAILABLE = Rule(
    "E008",
    "the Dask cluster cannot be used",
    "No scheduler responds at the address of `--dask`, it does not accept the connection, or it "
    "has no workers. Nothing was read or written in any account.",
    "check the address, the network and that workers are running; a cluster with tls:// needs the "
    "certificates of Dask's configuration (`distributed.comm.tls`)",
)
DASK_VERSIONS = Rule(
    "E009",
    "the workers of the Dask cluster have another version",
    "Every worker runs the same code as this command, so each needs the same version of this tool.",
    "install the same version of meter-reconciler on every worker and restart the workers",
)
BUG = Rule(
    "E900",
    "internal error",
    "The tool failed unexpectedly. This is a bug in the tool, not an error in your files.",
    "report it with the output of -vv, which includes the traceback",
    effect=Effect.UNCONFIRMED,
)
