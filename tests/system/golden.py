# SPDX-License-Identifier: MIT
"""lsof 4.95 and `hotstart lsof`, side by side on the same processes.

The processes are in namespaces of their own where we may make them (as root): then nothing else opens or
closes a file or a socket while two listings are compared, and the machine is small enough to compare listings
of all of it. lsof reads /proc/net/tcp in pieces: with others at work on the same machine it misses sockets, so
that elsewhere a comparison that fails is repeated.
"""

import os
import pwd
import re
import resource
import shutil
import subprocess
import tempfile

import pytest

from server import BUILD

MKFDS = os.path.join(BUILD, "tests/mkfds")
HOTSTART = os.path.join(BUILD, "hotstart")
LSOF = shutil.which("lsof")
NOBODY = "65534"
SPACE = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
ATTEMPTS = 5  # where others may open and close files between two listings

# What lsof does not show as it is: each has a test of its own in test_lsof_differences.py.
DIFFERENT = ["high", "ofd-write", "ofd-read-part", "tcp-bound", "tcp6-bound", "unix-spaced"]


def lsof_version():
    if LSOF is None:
        return "none"
    text = subprocess.run([LSOF, "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"revision: ([0-9.]+)", text)
    return found.group(1) if found else "unknown"


def can_move():
    """May we make namespaces? Root in a container often may not."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("nsenter"):
        return False
    return subprocess.run([*SPACE, "true"], capture_output=True, check=False).returncode == 0


CAN_MOVE = can_move()
needs_lsof = pytest.mark.skipif(
    not lsof_version().startswith("4.95"), reason=f"lsof 4.95 is not here (found: {lsof_version()})"
)
needs_root = pytest.mark.skipif(
    not CAN_MOVE, reason="needs root that may make namespaces, and be another user"
)


class Listing:
    """What one run printed, and how it ended."""

    def __init__(self, done):
        self.output = done.stdout.decode("utf-8", "surrogateescape")
        self.errors = done.stderr.decode("utf-8", "surrogateescape")
        self.status = done.returncode

    def first_error(self):
        return self.errors.partition("\n")[0]

    def rows(self):
        """The rows' words, without the title."""
        return [line.split() for line in self.output.splitlines()[1:]]

    def facts(self):
        return {"status": self.status, "error": self.first_error(), "output": self.output}


def few_descriptors():
    """lsof closes every number that there could be, each time it starts."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


class Mkfds:
    """A running mkfds: its pid where it is, its directory, and its descriptors by name."""

    def __init__(self, popen, directory):
        self.popen = popen
        self.directory = directory
        self.fds = {}
        self.missing = {}
        for line in popen.stdout:
            name, _, value = line.strip().partition(" ")
            if name == "ready":
                break
            if name == "pid":
                self.pid = int(value)
            elif value.startswith("- "):
                self.missing[name] = value[2:]
            else:
                self.fds[name] = int(value)
        else:
            raise AssertionError(f"mkfds ended: {popen.wait()}")

    def close(self):
        self.popen.stdin.close()
        self.popen.stdout.close()
        self.popen.wait()


class House:
    """Where the processes are, and the programs that look at them."""

    def __init__(self):
        # Another user must be able to come here, too.
        self.directory = tempfile.mkdtemp(prefix="hotstart-lsof-", dir="/tmp")
        os.chmod(self.directory, 0o755)
        self.programs = os.path.join(self.directory, "programs")
        os.mkdir(self.programs)
        shutil.copy(HOTSTART, os.path.join(self.programs, "hotstart"))
        self.mkfds = shutil.copy(MKFDS, self.programs)
        self.ours = os.path.join(self.programs, "lsof")
        os.symlink("hotstart", self.ours)
        self.made = []
        self.enter = []
        if CAN_MOVE:
            self.move_in()

    def move_in(self):
        """Its first process is an mkfds with nothing to show."""
        first = self.start_in(SPACE, "--loopback", "--only", "none")
        with open(f"/proc/{first.popen.pid}/task/{first.popen.pid}/children") as file:
            child = file.read().split()[0]
        self.enter = ["nsenter", "--target", child, "--net", "--mount", "--pid"]

    def start_in(self, prefix, *arguments, owner=None, program=None):
        directory = os.path.join(self.directory, f"files-{len(self.made)}")
        os.mkdir(directory)
        if owner is not None:
            os.chown(directory, owner, owner)
        popen = subprocess.Popen(
            [*prefix, program or self.mkfds, *arguments, directory], cwd="/",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        made = Mkfds(popen, directory)
        self.made.append(made)
        return made

    def start_as(self, user, *arguments):
        return self.start_in([*self.enter, "-S", user, "-G", user], *arguments, owner=int(user))

    def start(self, *arguments):
        return self.start_in(self.enter, *arguments)

    def start_comparable(self, *arguments):
        without = [word for name in DIFFERENT for word in ("--without", name)]
        return self.start(*without, *arguments)

    def run(self, program, *arguments, user=None, cwd=None, env=None):
        cwd = cwd or self.directory
        enter = [*self.enter, f"--wdns={cwd}"] if self.enter else []
        if user:
            enter = [*(enter or ["nsenter"]), "-S", user, "-G", user]
        done = subprocess.run(
            [*enter, *program, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
            check=False, cwd=cwd, preexec_fn=few_descriptors,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
        )
        return Listing(done)

    def lsof(self, *arguments, **kwargs):
        """With -O it asks for each file itself; else it has a child do that, word by word through pipes."""
        return self.run([LSOF, "-O"], *arguments, **kwargs)

    def hotstart(self, *arguments, **kwargs):
        return self.run([self.ours], *arguments, **kwargs)

    def compare(self, *arguments, **kwargs):
        """Both say the same: what was printed, the exit status, the first line of what is wrong."""
        for _ in range(1 if self.enter else ATTEMPTS):
            theirs = self.lsof(*arguments, **kwargs)
            ours = self.hotstart(*arguments, **kwargs)
            if ours.facts() == theirs.facts():
                break
        assert ours.facts() == theirs.facts(), " ".join(arguments)
        return ours

    def close(self):
        for made in reversed(self.made):
            made.close()
        shutil.rmtree(self.directory)


def own_name():
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def words(line, made):
    """The arguments of one case, a line as one would type it."""
    names = {"PID": str(made.pid), "DIR": made.directory, "USER": own_name()}
    return [re.sub("PID|DIR|USER", lambda found: names[found.group(0)], word) for word in line.split()]
