# SPDX-License-Identifier: MIT
"""`hotstart fds` where not everything may be seen: it says what is missing, and claims nothing wrong."""

import ctypes
import os
import shutil
import socket
import struct
import subprocess

import pytest

from fds import HOTSTART, fds, findings, rows
from puppet import Puppets
from waiting import libc

NOBODY = 65534
SYS_KCMP, SYS_PIDFD_GETFD = 312, 438

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")


@pytest.fixture
def puppets(tmp_path):
    # The copy of the interpreter must be for others to execute, below directories that they may enter.
    for directory in (tmp_path, *tmp_path.parents):
        if os.stat(directory).st_uid == os.getuid() and directory != directory.parent:
            os.chmod(directory, os.stat(directory).st_mode | 0o055)
    made = Puppets(str(tmp_path))
    yield made
    made.close()


@pytest.fixture
def program(tmp_path):
    """hotstart where everybody may execute it."""
    path = tmp_path / "hotstart"
    shutil.copy(HOTSTART, path)
    return path


def as_nobody(program, *arguments, command=()):
    done = subprocess.run([*command, "setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups",
                           str(program), "fds", *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode in (0, 1, 2, 3), done
    return done


@as_root
def test_another_users_process_is_incomplete_and_says_why(puppets, program):
    puppet = puppets.start()
    found = as_nobody(program, "-p", puppet.pid)
    assert (found.returncode, found.stdout) == (3, "")
    assert f"cannot read the descriptors of pid {puppet.pid}: Permission denied" in found.stderr
    assert found.stderr.count("\n") == 1


@as_root
def test_what_may_be_seen_is_listed_beside_what_may_not(puppets, program):
    puppet = puppets.start()
    mine = puppets.start(command=["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"])
    found = as_nobody(program, "--no-headings", "-o", "pid,fd", "-p", f"{puppet.pid},{mine.pid}")
    assert found.returncode == 3
    assert {line.split()[0] for line in found.stdout.splitlines()} == {str(mine.pid)}
    assert f"pid {puppet.pid}:" in found.stderr
    # Asked for its own alone, nothing is missing.
    own = as_nobody(program, "--no-headings", "-o", "pid", "-u", NOBODY, "-p", f"{puppet.pid},{mine.pid}")
    assert (own.returncode, own.stderr) == (0, "")
    assert set(own.stdout.split()) == {str(mine.pid)}


@as_root
def test_incomplete_json_says_so(puppets, program):
    import json
    puppet = puppets.start()
    document = json.loads(as_nobody(program, "--json", "-p", puppet.pid).stdout)
    assert document["complete"] is False
    assert {"pid": puppet.pid, "fd": None, "step": "opendir", "error": "EACCES"} in document["gaps"]
    (process,) = document["processes"]
    assert (process["error"], process["files"]) == ("EACCES", [])


@as_root
def test_own_server_below_somebody_elses_process_is_complete(puppets, program):
    """Its parent is context that nobody asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        mine = puppets.start(pass_fds=[listener.fileno()],
                             command=["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"])
        mine.run(f"os.set_inheritable({listener.fileno()}, False)")
    for form, status in (("--check", 0), ("--tree", 0), ("--json", 0)):
        found = as_nobody(program, form, "-p", mine.pid)
        assert (found.returncode, found.stderr) == (status, "")


@as_root
def test_check_of_what_may_not_be_seen_does_not_say_that_all_is_well(puppets, program):
    puppet = puppets.start()
    found = as_nobody(program, "--check", "-p", puppet.pid)
    assert (found.returncode, found.stdout) == (3, "")
    assert str(puppet.pid) in found.stderr


def hidden_proc(option):
    """A command that runs another with /proc mounted so; skips where that is not allowed."""
    command = ["unshare", "--mount", "sh", "-c", f'mount -t proc -o hidepid={option} proc /proc && exec "$@"', "sh"]
    if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
        pytest.skip("cannot mount /proc with hidepid here")
    return command


@as_root
@pytest.mark.parametrize("option", [1, 2])
def test_hidepid_is_noticed(puppets, program, option):
    puppet = puppets.start()
    mine = puppets.start(command=["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"])
    command = hidden_proc(option)
    one = as_nobody(program, "-p", puppet.pid, command=command)
    assert one.returncode == 3 and f"pid {puppet.pid}:" in one.stderr and "no such process" not in one.stderr
    everything = as_nobody(program, "--no-headings", "-o", "pid", command=command)
    assert everything.returncode == 3 and "incomplete" in everything.stderr
    pids = set(everything.stdout.split())
    assert str(mine.pid) in pids and str(puppet.pid) not in pids
    gone = as_nobody(program, "-p", dead_pid(), command=command)
    assert gone.returncode == 1 and "no such process" in gone.stderr


def dead_pid():
    """A number that was a process' until now."""
    done = subprocess.Popen(["true"])
    done.wait()
    return done.pid


# ---- seccomp ----


def refusing(*numbers):
    """What a container's profile does: these system calls fail with EPERM, from here on and for ever."""
    load, equal, ret = 0x20, 0x15, 0x06
    code = [struct.pack("HBBI", load, 0, 0, 0)]
    for i, number in enumerate(numbers):
        code.append(struct.pack("HBBI", equal, len(numbers) - i, 0, number))
    code.append(struct.pack("HBBI", ret, 0, 0, 0x7FFF0000))
    code.append(struct.pack("HBBI", ret, 0, 0, 0x00050000 | 1))
    filters = ctypes.create_string_buffer(b"".join(code))
    program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(filters))

    def apply():
        assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
        assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0  # PR_SET_SECCOMP, filter
        return filters
    return apply


on_x86_64 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of system calls are x86-64's")


@on_x86_64
def test_without_kcmp_only_sockets_are_claimed_to_be_the_same(puppets):
    puppet = puppets.start()
    puppet.run("a = os.eventfd(0); b = os.dup(a); c = os.eventfd(0); s, t = socket.socketpair(); u = os.dup(s.fileno())")
    a, b, c, s, u = (puppet.ask(name) for name in ("a", "b", "c", "s.fileno()", "u"))
    allowed = {line["fd"]: line["description"] for line in fds("--jsonl", "-p", puppet.pid).jsonl()}
    assert allowed[a] == allowed[b] != allowed[c] and allowed[s] == allowed[u]
    found = fds("--jsonl", "-p", puppet.pid, preexec_fn=refusing(SYS_KCMP))
    assert found.status == 3 and "cannot compare descriptors" in found.stderr
    refused = {line["fd"]: line["description"] for line in found.jsonl()}
    assert refused[s] == refused[u] is not None
    assert refused[a] is refused[b] is refused[c] is None
    same = fds("--same", "-p", puppet.pid, "-d", f"{a},{b},{c}", preexec_fn=refusing(SYS_KCMP))
    assert (same.status, same.stdout) == (3, "")


@on_x86_64
def test_without_kcmp_no_epoll_is_claimed_to_be_stale(puppets):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        puppet = puppets.start(pass_fds=[listener.fileno()])
        puppet.run(f"os.set_inheritable({listener.fileno()}, False)")
    puppet.run("e = select.epoll(); v = os.eventfd(0); e.register(v, select.EPOLLIN)")
    found = fds("--check", "-p", puppet.pid, preexec_fn=refusing(SYS_KCMP))
    assert (found.status, found.stdout) == (3, "")


@on_x86_64
def test_without_pidfd_getfd_sockets_are_found_in_the_kernels_dumps(puppets):
    puppet = puppets.start()
    puppet.run("l = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(l.getsockname()); "
               "d, _ = l.accept(); u = socket.socket(type=socket.SOCK_DGRAM); u.bind(('127.0.0.1', 0)); "
               "bound = socket.socket(); bound.bind(('127.0.0.1', 0)); bare = socket.socket()")
    columns = "fd,kind,state,queue,cookie,name"
    fetched = fds("-p", puppet.pid, "-o", columns)
    dumped = fds("-p", puppet.pid, "-o", columns, preexec_fn=refusing(SYS_PIDFD_GETFD))
    assert (dumped.status, dumped.stdout) == (fetched.status, fetched.stdout)
    assert "ESTABLISHED" in dumped.stdout and "LISTEN" in dumped.stdout


# ---- while they die ----


CHURN = """
import threading
stop = False
def churn():
    while not stop:
        child = os.fork()
        if child == 0:
            socket.socketpair(); os._exit(0)
        os.waitpid(child, 0)
thread = threading.Thread(target=churn); thread.start()
"""


def test_processes_that_die_while_they_are_read(tmp_path):
    name = f"dying{os.getpid()}"  # nobody else's, whose processes could be hidden from us
    house = Puppets(str(tmp_path), name=name)
    puppets = [house.start() for _ in range(2)]
    for puppet in puppets:
        puppet.run(CHURN)
    for form in ("--json", "--check", "--same", "--tree") * 5:
        found = fds(form, "-c", name)
        assert found.status in (0, 1), found
        assert found.stderr == ""
        if form == "--json":
            assert {p["pid"] for p in found.json()["processes"]} >= {p.pid for p in puppets}
    for puppet in puppets:
        puppet.run("stop = True; thread.join()")
    house.close()


# ---- other namespaces ----


@as_root
def test_a_listener_in_another_network_namespace(puppets):
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        pytest.skip("no network namespaces here")
    puppet = puppets.start(command=["unshare", "--net"])
    puppet.run("l = socket.create_server(('0.0.0.0', 0)); l.listen(5); b = socket.socket()\n"
               "b.bind(('0.0.0.0', 0)); u, v = socket.socketpair()")
    port, other = puppet.ask("l.getsockname()[1]"), puppet.ask("b.getsockname()[1]")
    netns = str(os.stat(f"/proc/{puppet.pid}/ns/net").st_ino)
    ours = str(os.stat("/proc/self/ns/net").st_ino)
    assert netns != ours
    assert rows("-p", puppet.pid, "-k", "tcp,unix", columns=["fd", "state", "netns", "local"]) == [
        (str(puppet.ask("l.fileno()")), "LISTEN", netns, f"0.0.0.0:{port}"),
        *([(str(puppet.ask("b.fileno()")), "BOUND", netns, f"0.0.0.0:{other}")]
          if "BOUND" in fds("-p", puppet.pid).stdout else []),
        (str(puppet.ask("u.fileno()")), "CONNECTED", netns),
        (str(puppet.ask("v.fileno()")), "CONNECTED", netns)]
    assert rows("-p", puppet.pid, f"--listen={port}", columns=["netns"]) == [(netns,)]
