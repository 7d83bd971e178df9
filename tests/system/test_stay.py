# SPDX-License-Identifier: MIT
"""A pid that never changes: the process that was started stays as an init, and is all that a
service manager knows."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import termios

import pytest

from load import Load
from manager import Manager
from process import Process, descendants, inheriting
from server import BUILD, DEMO, Server, bound_address
from waiting import PATIENCE, wait_until


class Kept:
    """A demo with --stay: `init` is what was started, `server` what it serves."""

    def __init__(self, household, log, init, started=None):
        self.log = log
        self.init = init
        self.started = started or init  # what the test is the parent of
        first = wait_until(self.serving_child, lambda: f"it serves:\n{log.text()}", None,
                           [log.watch, init])
        self.server = Server(first, log, bound_address(first, first.listeners()[0]))
        self.server.stopped = True  # each test ends it by itself
        household.servers.append(self.server)
        self.server.get("/counter")  # it listens before it serves

    def serving_child(self):
        assert not self.started.has_exited(), f"it ended:\n{self.log.text()}"
        for pid in self.init.children():
            child = Process(pid)
            if child.listeners():
                return child
            child.close()
        return None

    def generation(self):
        return self.server.get("/generation").json()["generation"]

    def await_generation(self, generation):
        """As seen from outside: in another PID namespace the pids in its answers mean nothing."""
        wait_until(lambda: self.generation() == generation,
                   lambda: f"generation {generation} answers:\n{self.log.text()}", None,
                   [self.log.watch])

    def restart(self, generation):
        self.init.signal(signal.SIGUSR2)
        self.await_generation(generation)

    def await_only_child(self):
        """Wait until one generation is left, and nothing that nobody reaped."""
        wait_until(lambda: len(self.init.children()) == 1 and
                   len(descendants(self.init.pid)) == 1,
                   lambda: f"one process is left of {descendants(self.init.pid)}")
        return Process(self.init.children()[0])

    def begin_hello(self, client):
        """Send a request whose handler takes its time, and wait until that has it."""
        before = self.server.get("/counter").body
        client.request("/hello")
        wait_until(lambda: self.server.get("/counter").body != before, "it is counted")

    def expect_no_zombie(self):
        wait_until(lambda: "Z" not in descendants(self.init.pid).values(),
                   lambda: f"no zombie in {descendants(self.init.pid)}")

    def end(self, number=signal.SIGTERM):
        self.init.signal(number)
        return self.started.wait_exit()


@pytest.fixture
def stay(household):
    def start(*options, **kwargs):
        log = household.log("stay.log")
        argv = [DEMO, "--stay", "--listen", "tcp://127.0.0.1:0", "--probation", "0.2",
                *map(str, options)]
        return Kept(household, log, household.start(argv, log, **kwargs))

    return start


def five_restarts_under_load(household, kept):
    load = Load(household, kept.server, "new:clients=8", "think:clients=16,think=0-20")
    with load:
        for generation in range(2, 7):
            kept.restart(generation)
            load.wait_generation(generation)
            assert not kept.init.has_exited()
            kept.expect_no_zombie()
    report = load.report()
    assert report.failed == {}, report
    assert set(report.answers) == set(range(1, 7))
    assert report.summary["stale"] == 0


def test_five_restarts_under_load_and_one_pid(household, stay, tmp_path):
    pid_file = tmp_path / "demo.pid"
    kept = stay("--pid-file", pid_file)
    five_restarts_under_load(household, kept)
    kept.await_only_child()
    assert pid_file.read_text() == f"{kept.init.pid}\n"
    assert kept.end() == 0
    assert not pid_file.exists()
    assert kept.server.refuses()


@pytest.fixture
def namespace(tmp_path):
    """Start it as PID 1 of a PID namespace, with a runtime directory of its own: what a container
    has."""
    enter = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*enter, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no PID namespace for this user here")
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    inits = []

    def start(household):
        log = household.log("namespace.log")
        argv = [*enter, "env", f"XDG_RUNTIME_DIR={runtime}", DEMO, "--stay", "--listen",
                "tcp://127.0.0.1:0", "--probation", "0.2"]
        unshare = household.start(argv, log)
        inits.append(Process(wait_until(unshare.children, lambda: f"it starts:\n{log.text()}")[0]))
        return Kept(household, log, inits[0], unshare)

    yield start
    for init in inits:
        init.close()


def test_as_pid_1_of_a_namespace(household, namespace):
    """Nothing else reaps there, and the kernel drops what PID 1 neither handles nor blocks."""
    kept = namespace(household)
    assert kept.init.status_field("NSpid").split()[-1] == "1"
    assert kept.server.current.status_field("NSpid").split()[-1] != "1"
    five_restarts_under_load(household, kept)
    kept.await_only_child()
    assert kept.end() == 0


def command(*arguments):
    result = subprocess.run([os.path.join(BUILD, "hotstart"), *map(str, arguments)], check=False,
                            capture_output=True, text=True, timeout=PATIENCE)
    return result.returncode, result.stdout + result.stderr


def test_the_command_finds_the_server_by_that_pid(stay):
    kept = stay()
    for generation in (2, 3):
        status, output = command("restart", kept.init.pid)
        assert status == 0, output
        assert kept.generation() == generation
    status, output = command("status", kept.init.pid)
    assert status == 0 and "serving" in output, output
    status, output = command("stop", kept.init.pid)
    assert status == 0, output
    assert kept.started.wait_exit() == 0


def test_the_command_finds_it_in_another_namespace(household, namespace):
    kept = namespace(household)
    status, output = command("restart", kept.init.pid)
    assert status == 0, output
    assert kept.generation() == 2
    assert kept.end() == 0


def test_sockets_that_a_service_manager_gave_to_that_pid(household):
    """They are for the child that serves; a copy in the init would keep a queue that nobody reads."""
    log = household.log("activated.log")
    with socket.create_server(("127.0.0.1", 0)) as given:
        name = given.getsockname()
        kept = Kept(household, log, household.start(
            [DEMO, "--stay", "--probation", "0.2"], log,
            **inheriting(given.fileno(), LISTEN_FDS="1", LISTEN_PID="PID")))
    assert kept.server.address[1] == name
    assert not kept.init.listeners()
    kept.restart(2)
    kept.await_only_child().close()
    assert kept.end() == 0
    assert kept.server.refuses()


def test_a_service_manager_hears_of_no_other_main_process(stay, tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    kept = stay(env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")})
    manager.wait_for("READY")
    kept.restart(2)
    manager.wait_for("RELOADING")
    kept.await_only_child().close()
    assert kept.end() == 0
    manager.wait_for("STOPPING")
    manager.close()
    assert [message for message in manager.messages if "MAINPID" in message] == []


def test_a_supervisor_that_stops_as_runit_does(stay):
    """`sv down`: TERM, and CONT behind it. What is in flight is finished."""
    kept = stay("--hello-delay", "0.5")
    kept.restart(2)
    with kept.server.connect() as client:
        kept.begin_hello(client)
        kept.init.signal(signal.SIGTERM)
        kept.init.signal(signal.SIGCONT)
        assert client.answer().status == 200
    assert kept.started.wait_exit() == 0


def test_the_status_is_that_of_the_generation_that_served(stay):
    """The drain deadline cuts a request: demo ends with status 1, and so does the init."""
    kept = stay("--drain", "0.3", "--hello-delay", "60")
    kept.restart(2)
    kept.await_only_child()
    with kept.server.connect() as client:
        kept.begin_hello(client)
        assert kept.end() == 1


def test_a_status_that_the_old_generation_has_reaped(stay):
    """The parent of the new generation is the old one, as long as that drains."""
    kept = stay("--hello-delay", "2")
    old = kept.server.current
    with kept.server.connect() as client:
        kept.begin_hello(client)
        kept.restart(2)
        new = Process(kept.server.get("/test").pid)
        kept.log.wait_for(re.compile(rf"^\[pid {old.pid}\] restart: retire", re.MULTILINE))
        new.kill()
        assert client.answer().status == 200
    assert kept.started.wait_exit() == 128 + signal.SIGKILL
    new.close()


def test_a_stop_in_a_probation_leaves_no_process(stay):
    kept = stay("--probation", "60")
    kept.restart(2)
    assert kept.end() == 0
    assert kept.server.refuses()


def test_a_stop_of_the_whole_group_is_one_stop(stay):
    """As a shell's kill %1, or a service manager's control group: everybody gets it, and the init
    passes it on. A second stop would cut the request."""
    kept = stay("--hello-delay", "0.5", start_new_session=True)
    with kept.server.connect() as client:
        kept.begin_hello(client)
        os.killpg(kept.init.pid, signal.SIGTERM)
        assert client.answer().status == 200
    assert kept.started.wait_exit() == 0


@pytest.fixture
def terminal(household):
    """A demo with --stay in the foreground of a terminal of its own, and the keyboard."""
    ours, theirs = os.openpty()

    def take_terminal():
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    def start(*options):
        log = household.log("terminal.log")
        argv = [DEMO, "--stay", "--listen", "tcp://127.0.0.1:0", "--probation", "0.2", *options]
        return Kept(household, log, household.start(argv, log, preexec_fn=take_terminal))

    yield start, lambda keys: os.write(ours, keys)
    os.close(ours)
    os.close(theirs)


def test_control_c_is_one_stop(terminal):
    """The terminal sends it to the whole foreground group, generations of a restart included."""
    start, press = terminal
    kept = start("--hello-delay", "0.5")
    kept.restart(2)
    kept.await_only_child().close()
    with kept.server.connect() as client:
        kept.begin_hello(client)
        press(b"\x03")
        assert client.answer().status == 200
    assert kept.started.wait_exit() == 0


def test_two_stops_are_two(stay):
    kept = stay("--hello-delay", "60", "--drain", "600")
    with kept.server.connect() as client:
        kept.begin_hello(client)
        kept.init.signal(signal.SIGTERM)
        kept.log.wait_for(re.compile("stopping"))
        assert kept.end() == 1


def test_when_the_init_is_killed_the_service_stops(stay):
    """A supervisor that loses patience kills the pid that it knows, and starts the service anew."""
    kept = stay()
    kept.restart(2)
    kept.await_only_child().close()
    kept.init.kill()
    assert kept.started.wait_exit() == -signal.SIGKILL
    wait_until(kept.server.refuses, "nobody listens any more")


def test_a_failed_restart_leaves_the_init_and_what_serves(stay, household, releases):
    log = household.log("failing.log")
    argv = [releases.current, "--stay", "--listen", "tcp://127.0.0.1:0", "--probation", "0.2"]
    kept = Kept(household, log, household.start(argv, log))
    releases.shell("fails", "exit 3")
    releases.switch("fails")
    kept.init.signal(signal.SIGUSR2)
    log.wait_for(re.compile("rolled back.*exited with status 3"))
    releases.switch("release-1")
    kept.restart(2)
    kept.await_only_child().close()
    assert kept.end() == 0


def test_what_cannot_start_ends_with_its_status(household, stay):
    kept = stay()
    log = household.log("second.log")
    _, (host, port) = kept.server.address
    second = household.start([DEMO, "--stay", "--listen", f"tcp://{host}:{port}"], log)
    assert second.wait_exit() == 1
    assert "address in use" in log.text()
    assert kept.end() == 0
