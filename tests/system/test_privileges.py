# SPDX-License-Identifier: MIT
"""A server that gave up privileges: what a restart refuses, with which words, and what works once
the host has said that it is meant."""

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

import pytest

from process import Process, inheriting
from server import BUILD, bound_address

DROPPING = os.path.join(BUILD, "tests", "dropping")
USER = 12345
NET_BIND_SERVICE = 10

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up being root")


class Dropping:
    """tests/helpers/dropping, through its generations."""

    def __init__(self, household, *arguments, program=DROPPING, **kwargs):
        self.log = household.log(f"dropping-{len(household.processes)}.log")
        self.process = household.start([program, *arguments], self.log, **kwargs)
        self.log.wait_for(re.compile("^serving 1$", re.MULTILINE))
        self.address = bound_address(self.process, self.process.listeners()[0])

    def ask(self):
        """generation, pid"""
        family, name = self.address
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.connect(name)
            return tuple(map(int, client.makefile().read().split()))

    def expect_refused(self, words):
        self.process.signal(signal.SIGUSR2)
        self.log.wait_for(re.compile(words, re.MULTILINE))
        assert self.ask() == (1, self.process.pid)
        self.end()

    def expect_restarted(self):
        """Returns the new generation, which the caller ends."""
        offset = self.log.size()
        self.process.signal(signal.SIGUSR2)
        found = self.log.wait_for(re.compile(r"^(serving 2|\w+: .*)$", re.MULTILINE), offset)
        assert found.group(1) == "serving 2", self.log.text()
        self.process = Process(self.ask()[1])
        return self.process

    def end(self):
        self.process.signal(signal.SIGTERM)
        assert self.process.wait_exit() in (0, None), self.log.text()
        self.process.close()


CHANGES = {
    "no_new_privs": (["no_new_privs"], "no_new_privs was set after the start"),
    "seccomp": (["no_new_privs", "meant", "seccomp"],
                "a seccomp filter was installed after the start"),
    "bound": (["bound=22"], "bounding capabilities are 0x[0-9a-f]+, and were 0x[0-9a-f]+ at"),
    "user": ([f"uid={USER}"],
             f"user ids are {USER} {USER} {USER}, and were 0 0 0 at the start"),
    "groups": (["groups"], "the supplementary groups are not those of the start"),
}
FIELDS = ("Uid:", "Gid:", "Groups:", "CapBnd:", "NoNewPrivs:", "Seccomp:")


def privileges(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return [line for line in file if line.startswith(FIELDS)]


@pytest.fixture(params=CHANGES)
def change(request):
    arguments, words = CHANGES[request.param]
    if request.param in ("bound", "user", "groups") and os.geteuid() != 0:
        pytest.skip("only root can give that up")
    kwargs = {"extra_groups": [4, 20]} if request.param == "groups" else {}
    return arguments, words, kwargs


def test_a_change_since_the_start_is_refused_with_its_reason(household, change):
    arguments, words, kwargs = change
    Dropping(household, *arguments, **kwargs).expect_refused(
        f"^preflight: {words}.*: Operation not permitted$")


def test_a_change_that_is_meant_goes_on_to_the_next_generation(household, change):
    arguments, _, kwargs = change
    server = Dropping(household, *arguments, "meant", **kwargs)
    old = server.process
    before = privileges(old)
    assert len(before) == len(FIELDS)
    assert privileges(server.expect_restarted()) == before
    assert old.wait_exit() == 0
    server.end()


def test_what_was_so_at_the_start_is_no_change(household):
    """Started under no_new_privs, as many services are."""
    server = Dropping(household, "--no-new-privs", DROPPING, program="setpriv")
    assert server.expect_restarted().status_field("NoNewPrivs") == "1"
    server.end()


@pytest.fixture
def new_root():
    """A root directory with the same content, in a mount namespace of its own: how to start a
    program beside it, and its name."""
    directory = tempfile.mkdtemp(prefix="hot-root-")
    script = """set -e; mount -t tmpfs none "$0"
        for one in /*; do
                if [ -L "$one" ]; then cp -P "$one" "$0"
                elif [ -d "$one" ]; then mkdir "$0$one"; mount --rbind "$one" "$0$one"
                fi
        done
        exec "$@" """
    enter = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, directory]
    possible = subprocess.run([*enter, "true"], check=False, capture_output=True).returncode == 0
    if possible:
        yield enter, directory
    os.rmdir(directory)
    if not possible:
        pytest.skip("no mount namespace for this user here")


@pytest.fixture
def empty_root():
    directory = tempfile.mkdtemp(prefix="hot-root-")
    yield directory
    os.rmdir(directory)


def test_another_root_directory(household, new_root):
    enter, directory = new_root
    server = Dropping(household, *enter[1:], DROPPING, f"root={directory}", program=enter[0])
    server.expect_refused("^preflight: the root directory is not that of the start")
    server = Dropping(household, *enter[1:], DROPPING, f"root={directory}", "meant",
                      program=enter[0])
    old = server.process
    root = os.stat(f"/proc/{old.pid}/root")
    new = os.stat(f"/proc/{server.expect_restarted().pid}/root")
    assert (new.st_dev, new.st_ino) == (root.st_dev, root.st_ino)
    assert old.wait_exit() == 0
    server.end()


@needs_root
def test_a_root_directory_without_the_program(household, empty_root):
    # Where there is no /proc, a sanitizer cannot look for leaks at the end.
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    server = Dropping(household, f"root={empty_root}", "meant", env=environment)
    server.expect_refused("^preflight: .*dropping: No such file or directory")


@needs_root
def test_capabilities_that_exec_would_take_away(household):
    """Kept over the change of the user, but not ambient: the next generation would lack them."""
    server = Dropping(household, f"kept={NET_BIND_SERVICE}", f"uid={USER}", "meant")
    server.expect_refused("^preflight: exec would take the capabilities 0x400 away")


# ---- what a program's file brings ----


@pytest.fixture
def program():
    """A copy of the program where every user can run it."""
    directory = tempfile.mkdtemp(prefix="hot-program-")
    os.chmod(directory, 0o755)
    if os.statvfs(directory).f_flag & os.ST_NOSUID:
        shutil.rmtree(directory)
        pytest.skip("the file system ignores these bits")
    yield shutil.copy(DROPPING, os.path.join(directory, "dropping"))
    shutil.rmtree(directory)


AS_USER = {"user": USER, "group": USER, "extra_groups": [], "cwd": "/"}


def give_capability(path, number):
    """As setcap(8) does: revision 2, effective."""
    try:
        os.setxattr(path, "security.capability",
                    struct.pack("<IIIII", 0x02000001, 1 << number, 0, 0, 0))
    except OSError as error:
        pytest.skip(f"file capabilities: {error.strerror}")


@needs_root
def test_a_program_with_file_capabilities(household, program):
    """It runs with AT_SECURE, and its own announcement is accepted all the same."""
    give_capability(program, NET_BIND_SERVICE)
    server = Dropping(household, program=program, **AS_USER)
    assert int(server.process.status_field("CapPrm"), 16) == 1 << NET_BIND_SERVICE
    old = server.process
    new = server.expect_restarted()
    assert int(new.status_field("CapPrm"), 16) == 1 << NET_BIND_SERVICE
    assert old.wait_exit() == 0
    server.end()


@needs_root
def test_the_process_that_stays_has_file_capabilities_too(household, program):
    """It is known to a generation that ignores what anybody else announces."""
    give_capability(program, NET_BIND_SERVICE)
    log = household.log("stay.log")
    init = household.start([program, "stay"], log, **AS_USER)
    for generation in (1, 2, 3):
        log.wait_for(re.compile(f"^serving {generation}$", re.MULTILINE))
        init.signal(signal.SIGUSR2 if generation < 3 else signal.SIGTERM)
    assert init.wait_exit() == 0


@needs_root
def test_the_process_that_stays_outlives_the_privileges_of_the_others(household):
    """Whoever signals it does so as root; the generations are somebody else's."""
    log = household.log("stay.log")
    init = household.start([DROPPING, "stay", f"uid={USER}", "meant"], log)
    for generation in (1, 2, 3):
        log.wait_for(re.compile(f"^serving {generation}$", re.MULTILINE))
        init.signal(signal.SIGUSR2 if generation < 3 else signal.SIGTERM)
    assert init.wait_exit() == 0


@needs_root
def test_a_new_release_without_the_capabilities_of_the_old_one(household, program):
    give_capability(program, NET_BIND_SERVICE)
    server = Dropping(household, program=program, **AS_USER)
    shutil.copy(DROPPING, program + ".new")
    os.rename(program + ".new", program)
    server.expect_refused("^preflight: exec would take the capabilities 0x400 away")


@needs_root
@pytest.mark.parametrize("capable", [False, True])
def test_a_foreign_announcement_to_a_program_with_file_capabilities(household, program, capable):
    """Who runs such a program could give it any socket: only a channel shows whose it is."""
    if capable:
        give_capability(program, NET_BIND_SERVICE)
    with socket.create_server(("127.0.0.1", 0)) as given:
        server = Dropping(household, program=program, **AS_USER,
                          **inheriting(given.fileno(), LISTEN_FDS="1", LISTEN_PID="PID"))
        addresses = [bound_address(server.process, row)[1] for row in server.process.listeners()]
        took = addresses == [given.getsockname()]
        assert took != capable
        server.address = (socket.AF_INET, next(a for a in addresses
                                               if capable != (a == given.getsockname())))
        assert server.ask() == (1, server.process.pid)
        server.end()


@needs_root
def test_a_set_user_id_program(household, program):
    """It ignores what is announced to it, so a restart would lose the listener: refused."""
    os.chmod(program, 0o4755)
    server = Dropping(household, program=program, **AS_USER)
    assert server.process.status_field("Uid").split()[:2] == [str(USER), "0"]
    server.expect_refused(f"^preflight: it would run with real and effective ids {USER} 0 and "
                          f"{USER} {USER}, and ignore what it inherits: Operation not permitted")
