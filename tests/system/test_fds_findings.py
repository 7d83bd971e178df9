# SPDX-License-Identifier: MIT
"""Every finding of `hotstart fds --check`, provoked on real processes; and its absence."""

import os
import socket
import subprocess

import pytest

from fds import codes, fds, findings
from puppet import Puppets
from waiting import wait_until


@pytest.fixture
def puppets(tmp_path):
    made = Puppets(str(tmp_path))
    yield made
    made.close()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def port_of(listener):
    return listener.getsockname()[1]


def generations(puppets, *listeners):
    """Two generations that hold these listeners, and nobody else does."""
    first = puppets.start(pass_fds=[listener.fileno() for listener in listeners])
    second = puppets.generation(2, *listeners)
    for listener in listeners:
        for puppet in first, second:
            puppet.run(f"os.set_inheritable({listener.fileno()}, False)")
        listener.close()
    return first, second


def serve(puppets, listener):
    """A server that holds this listener, and nobody else does: the test that made it would be its supervisor."""
    puppet = puppets.start(pass_fds=[listener.fileno()])
    puppet.number, puppet.port = listener.fileno(), port_of(listener)
    puppet.run(f"os.set_inheritable({puppet.number}, False)")
    listener.close()
    return puppet


def of(*puppets):
    return ("-p", ",".join(str(p.pid) for p in puppets))


def test_two_generations_with_the_same_listener_are_all_right(puppets, listener):
    first, second = generations(puppets, listener)
    assert findings(*of(first, second)) == []


def test_listener_lost(puppets, listener):
    with socket.create_server(("127.0.0.1", 0)) as other:
        lost, port = other.fileno(), port_of(other)
        first, second = generations(puppets, listener, other)
        second.run(f"os.close({lost})")
        (found,) = findings(*of(first, second))
        assert found[:2] == ("listener-lost", second.pid)
        assert f"127.0.0.1:{port}" in found[3] and f"pid {first.pid}" in found[3]
        assert "generation 2" in found[3] and f"descriptor {lost}" in found[3]
        first.run(f"os.close({lost})")
        assert findings(*of(first, second)) == []


def test_listener_rebound_and_queue_at_risk(puppets, listener):
    number, port = listener.fileno(), port_of(listener)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    with socket.create_server(("127.0.0.1", 0)) as other:
        first, second = generations(puppets, listener, other)
    second.run(f"os.close({number})")
    rebind = ("l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); "
              f"l.bind(('127.0.0.1', {port})); l.listen(); result = l.fileno()")
    # A listener that says SO_REUSEPORT only after it was bound does not share: bind both anew.
    first.run(f"os.close({number})")
    old = first.run(rebind)
    new = second.run(rebind)
    (found,) = findings(*of(first, second))
    assert found[:3] == ("listener-rebound", second.pid, new)
    assert f"descriptor {old}" in found[3] and f"127.0.0.1:{port}" in found[3]

    # The kernel spreads connections over both: enough of them that the old one gets some.
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(64)]
    second.run("l.close()")
    found = findings(*of(first, second))
    waiting = int(fds("--no-headings", "-o", "queue", *of(first), "-d", old).stdout.split("/")[0])
    assert waiting > 0
    assert [f[:3] for f in found] == [("listener-lost", second.pid, None),
                                      ("queue-at-risk", first.pid, old)]
    assert found[1][3].startswith(f"{waiting} connection")
    first.run("accepted = [l.accept() for _ in range(%d)]" % waiting)
    assert codes(*of(first, second)) == ["listener-lost"]
    for client in clients:
        client.close()


def test_no_queue_is_at_risk_that_the_newest_generation_accepts_from(puppets, listener):
    port = port_of(listener)
    first, second = generations(puppets, listener)
    with socket.create_connection(("127.0.0.1", port)):
        assert findings(*of(first, second)) == []


def test_leak_of_what_is_not_close_on_exec(puppets, listener, tmp_path):
    puppet = serve(puppets, listener)
    puppet.run(f"os.set_inheritable({puppet.number}, True)")
    assert findings(*of(puppet)) == []  # a listener is what is handed over
    path = tmp_path / "state"
    leaked = puppet.ask(f"os.open({str(path)!r}, os.O_RDWR | os.O_CREAT)")
    assert findings(*of(puppet)) == []  # close-on-exec
    puppet.run(f"os.set_inheritable({leaked}, True)")
    (found,) = findings(*of(puppet))
    assert found[:3] == ("leak", puppet.pid, leaked)
    assert str(path) in found[3]


def test_the_copy_of_a_listener_that_a_restart_leaves_behind(puppets, listener):
    """What the Go package does: the listener's file is a dup() for the child, and nobody closes it."""
    puppet = serve(puppets, listener)
    number = puppet.number
    puppet.run(f"e = select.epoll(); e.register({number}, select.EPOLLIN)")
    assert findings(*of(puppet)) == []
    copy = puppet.ask(f"fcntl.fcntl({number}, fcntl.F_DUPFD_CLOEXEC, 20)")
    (found,) = findings(*of(puppet))
    assert found[:3] == ("leak", puppet.pid, copy)
    assert "second copy of the listener" in found[3] and f"descriptor {number}" in found[3]
    # A loop that closes what it is given waits on a copy of its own.
    puppet.run(f"e.unregister({number}); e.register({copy}, select.EPOLLIN)")
    assert findings(*of(puppet)) == []


def test_leak_to_a_process_that_is_no_generation(puppets, listener):
    puppet = serve(puppets, listener)
    number, port = puppet.number, puppet.port
    child = puppet.run("c = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, "
                       f"pass_fds=[{number}]); result = c.pid")
    (found,) = findings(*of(puppet))
    assert found[:3] == ("leak-outside", child, number)
    assert "(cat)" in found[3] and f"127.0.0.1:{port}" in found[3] and f"pid {puppet.pid}" in found[3]
    puppet.run("c.kill(); c.wait()")
    assert findings(*of(puppet)) == []
    # One that got nothing is nobody's business.
    puppet.run("c = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)")
    assert findings(*of(puppet)) == []
    puppet.run("c.kill(); c.wait()")


def test_a_supervisor_and_who_was_told_are_not_outside(puppets, listener, tmp_path):
    supervisor = Puppets(str(tmp_path), "keeper")
    try:
        keeper = supervisor.start(pass_fds=[listener.fileno()])
        number = listener.fileno()
        listener.close()
        child = keeper.run("c = subprocess.Popen(['sh', '-c', 'read line'], stdin=subprocess.PIPE, "
                           f"pass_fds=[{number}], env={{'SERVER_STARTER_PORT': '1={number}'}}); "
                           "result = c.pid")
        assert findings("-p", f"{keeper.pid},{child}") == []
        keeper.run("c.kill(); c.wait()")
    finally:
        supervisor.close()


def test_stale_epoll_entries(puppets, listener):
    puppet = serve(puppets, listener)
    puppet.run("e = select.epoll(); a, b = socket.socketpair(); e.register(a.fileno(), select.EPOLLIN)")
    epoll, number = puppet.ask("e.fileno()"), puppet.ask("a.fileno()")
    assert findings(*of(puppet)) == []
    puppet.run("copy = os.dup(a.fileno()); a.close()")
    (found,) = findings(*of(puppet))
    assert found[:3] == ("epoll-stale", puppet.pid, epoll)
    assert f"descriptor {number}" in found[3] and "closed now" in found[3]
    assert puppet.ask("os.open('/dev/null', os.O_RDONLY | os.O_CLOEXEC)") == number  # the lowest free one
    (found,) = findings(*of(puppet))
    assert found[0] == "epoll-stale" and "/dev/null" in found[3]
    puppet.run("os.close(copy)")  # the last holder: the kernel takes the entry away
    assert findings(*of(puppet)) == []


def test_an_epoll_that_a_child_inherited_is_not_stale_there(puppets, listener):
    puppet = serve(puppets, listener)
    child = puppet.run(
        "e = select.epoll(); a, b = socket.socketpair(); e.register(a.fileno(), select.EPOLLIN)\n"
        "r, w = os.pipe(); gone = os.fork()\n"
        "if gone == 0:\n"
        "    os.close(a.fileno()); os.close(r); os.write(w, b'x'); signal.pause()\n"
        "os.read(r, 1); result = gone")
    assert findings("-p", child) == []
    assert findings(*of(puppet)) == []
    puppet.run("os.kill(gone, signal.SIGKILL); os.waitpid(gone, 0)")


def test_stale_entries_of_files_that_share_an_inode(puppets, listener):
    """All eventfds have one inode: only kcmp tells one from another."""
    puppet = serve(puppets, listener)
    puppet.run("e = select.epoll(); v = os.eventfd(0); e.register(v, select.EPOLLIN)")
    assert findings(*of(puppet)) == []
    puppet.run("copy = os.dup(v); os.close(v); w = os.eventfd(0); result = w == v")
    assert codes(*of(puppet)) == ["epoll-stale"]


def test_descriptor_in_flight(puppets, listener):
    puppet = serve(puppets, listener)
    puppet.run("a, b = socket.socketpair()")
    receiver = puppet.ask("b.fileno()")
    assert findings(*of(puppet)) == []
    puppet.run("f = os.open('/dev/null', os.O_RDONLY); socket.send_fds(a, [b'x'], [f, f])")
    (found,) = findings(*of(puppet))
    assert found[:3] == ("in-flight", puppet.pid, receiver)
    assert "2 descriptors wait" in found[3]
    puppet.run("_, got, _, _ = socket.recv_fds(b, 1, 2); [os.set_inheritable(g, False) for g in got]")
    assert findings(*of(puppet)) == []


IO_URING = """
libc = ctypes.CDLL(None, use_errno=True)
ring = libc.syscall(425, 4, ctypes.create_string_buffer(120))
if ring < 0: raise OSError(ctypes.get_errno(), 'io_uring_setup')
held = socket.create_server(('127.0.0.1', 0))
if libc.syscall(427, ring, 2, (ctypes.c_int * 1)(held.fileno()), 1) < 0:
    raise OSError(ctypes.get_errno(), 'io_uring_register')
result = [ring, os.fstat(held.fileno()).st_ino]
"""


def test_listener_that_only_an_io_uring_holds(puppets, listener):
    puppet = serve(puppets, listener)
    try:
        ring, inode = puppet.run(IO_URING)
    except AssertionError as error:
        pytest.skip(f"no io_uring here: {error}")
    assert findings(*of(puppet)) == []
    puppet.run("held.close()")
    (found,) = findings(*of(puppet))
    assert found[:3] == ("io-uring", puppet.pid, ring)
    assert f"socket:[{inode}]" in found[3]


def test_lock_that_goes_with_its_process(puppets, listener, tmp_path):
    path = str(tmp_path / "lock")
    first, second = generations(puppets, listener)
    take = f"f = open({path!r}, 'w'); fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB); result = f.fileno()"
    number = first.run(take)
    assert findings(*of(first, second)) == []  # nobody else has the file
    second.run(f"f = open({path!r}, 'r+')")
    (found,) = findings(*of(first, second))
    assert found[:3] == ("lock-lost", first.pid, number)
    assert path in found[3] and f"pid {second.pid}" in found[3]
    first.run("f.close()")
    second.run(take)
    assert findings(*of(first, second)) == []


def test_lock_of_a_description_is_not_lost(puppets, listener, tmp_path):
    with open(tmp_path / "lock", "w") as file:
        subprocess.run(["flock", "--nonblock", str(file.fileno())], pass_fds=[file.fileno()], check=True)
        first = puppets.start(pass_fds=[listener.fileno(), file.fileno()])
        second = puppets.start(pass_fds=[listener.fileno(), file.fileno()],
                               env={"HOT_CHANNEL": "9", "HOT_GENERATION": "2"})
        for puppet in first, second:
            puppet.run(f"os.set_inheritable({file.fileno()}, False)")
            puppet.run(f"os.set_inheritable({listener.fileno()}, False)")
    listener.close()
    assert findings(*of(first, second)) == []


def test_lock_that_was_there_before(puppets, listener, tmp_path):
    path, before = str(tmp_path / "lock"), tmp_path / "before.json"
    puppet = serve(puppets, listener)
    puppet.run(f"f = open({path!r}, 'w'); fcntl.lockf(f, fcntl.LOCK_EX)")
    fds("--snapshot", before, *of(puppet))
    assert since(before, puppet) == []
    puppet.run(f"open({path!r}).close()")  # any close of the file takes the process' locks away
    (found,) = since(before, puppet)
    assert found[0] == "lock-lost" and path in found[3]


def since(before, *puppets):
    """Findings with an earlier snapshot at hand."""
    return findings("--diff", before, *of(*puppets))


def test_program_that_was_replaced(puppets, listener, tmp_path):
    puppet = serve(puppets, listener)
    assert findings(*of(puppet)) == []
    os.rename(puppets.program, tmp_path / "moved")
    os.symlink("/bin/true", puppets.program)
    assert findings(*of(puppet)) == []  # under another name it is still there
    os.unlink(tmp_path / "moved")
    (found,) = findings(*of(puppet))
    assert found[:2] == ("program-deleted", puppet.pid)
    assert puppets.program.rsplit("/", 1)[0] in found[3]


def test_growth(puppets, listener, tmp_path):
    before = tmp_path / "before.json"
    puppet = serve(puppets, listener)
    fds("--snapshot", before, *of(puppet))
    puppet.run("more = [os.eventfd(0, os.EFD_CLOEXEC) for _ in range(9)]")
    assert since(before, puppet) == []
    puppet.run("more.append(os.eventfd(0, os.EFD_CLOEXEC))")
    (found,) = since(before, puppet)
    assert found[:2] == ("growth", puppet.pid)
    assert findings("--diff", before, "--growth", 11, *of(puppet)) == []


def test_growth_is_not_of_connections(puppets, listener, tmp_path):
    before = tmp_path / "before.json"
    puppet = serve(puppets, listener)
    fds("--snapshot", before, *of(puppet))
    puppet.run(f"more = [socket.create_connection(('127.0.0.1', {puppet.port})) for _ in range(20)]")
    assert since(before, puppet) == []


def test_near_the_limit(puppets, listener):
    puppet = serve(puppets, listener)
    have = puppet.ask("len(os.listdir('/proc/self/fd')) - 1")
    puppet.run(f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({have * 2}, {have * 2}))")
    assert findings(*of(puppet)) == []
    (found,) = findings("--limit", 50, *of(puppet))
    assert found[:2] == ("near-limit", puppet.pid)
    assert f"{have} descriptors" in found[3] and f"may have {have * 2}" in found[3]


def test_listener_of_a_server_that_is_gone(puppets, listener, tmp_path):
    before = tmp_path / "before.json"
    number, port = listener.fileno(), port_of(listener)
    puppet, other = puppets.start(pass_fds=[number]), puppets.start()
    listener.close()
    fds("--snapshot", before, *of(puppet, other))
    assert since(before, puppet, other) == []
    puppet.stop()
    (found,) = since(before, puppet, other)
    assert found[0] == "listener-lost" and f"127.0.0.1:{port}" in found[3]
    # A new process on the old address: another socket, another queue.
    other.run(f"l = socket.create_server(('127.0.0.1', {port}))")
    (found,) = since(before, puppet, other)
    assert found[:2] == ("listener-rebound", other.pid)


def test_a_restart_of_the_demo_leaves_nothing_to_find(demo, tmp_path):
    """Before, during and after: whatever the test was started with aside, which is inherited as it is."""
    server = demo()
    before = tmp_path / "before.json"
    fds("--snapshot", before, "-p", server.current.pid)
    inherited = [f for f in findings("-p", server.current.pid)]
    assert {code for code, _, _, _ in inherited} <= {"leak"}
    second = server.restart()
    during = findings("-p", second.pid, "--diff", before)
    assert [f for f in during if f[0] != "leak"] == []
    server.retire_predecessors()
    wait_until(lambda: not [f for f in findings("-p", second.pid) if f[0] != "leak"],
               "nothing is in flight between the generations any more")
    assert not any("second copy" in text for code, _, _, text in findings("-p", second.pid))
