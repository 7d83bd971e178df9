# SPDX-License-Identifier: MIT
"""Under a real systemd: the units of packaging/systemd in a container that boots."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from container import Container
from load import LOAD, Report
from process import Process, descendants
from server import BUILD, DEMO
from waiting import Log, wait_until

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
ROOT = os.environ.get("HOT_SYSTEMD_ROOT") or os.path.join(BUILD, "deps/systemd-root")

pytestmark = [
    pytest.mark.skipif(os.getuid() != 0, reason="only root can boot a container"),
    pytest.mark.skipif(
        not (shutil.which("debootstrap") and shutil.which("systemd-nspawn")),
        reason="debootstrap or systemd-nspawn is not installed"),
]


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    subprocess.run([os.path.join(SOURCE, "tools/systemd-root"), ROOT], check=True)
    found = Container(ROOT, Log(str(tmp_path_factory.mktemp("container") / "console.log")))
    yield found
    found.close()


def runs_demo(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe") == "/usr/bin/demo"
    except OSError:
        return False


class Unit:
    """demo.service, started, and what systemd and the network say of it."""

    def __init__(self, machine, options=""):
        self.machine = machine
        machine.install(DEMO, "/usr/bin/demo")
        machine.install(os.path.join(BUILD, "hotstart"), "/usr/bin/hotstart")
        with open(os.path.join(SOURCE, "packaging/systemd/demo.service"), encoding="utf-8") as file:
            text = file.read()
        machine.write("/etc/systemd/system/demo.service",
                      text.replace("--listen :9999", f"--listen :9999 {options}"))
        machine.run("systemctl", "daemon-reload")
        told = machine.run("journalctl", "-n", "0", "--show-cursor").stdout
        self.cursor = told.strip().rpartition("cursor: ")[2]
        machine.run("systemctl", "start", "demo")

    def state(self):
        return self.machine.show("demo", "ActiveState") + "/" + self.machine.show("demo", "SubState")

    def main_pid(self):
        return int(self.machine.show("demo", "MainPID"))

    def reload(self, check=True):
        return self.machine.run("systemctl", "reload", "demo", check=check)

    def generation(self):
        """Who answers: pid inside and generation."""
        out = subprocess.run(
            self.machine.enter("curl", "-sS", "--max-time", "20",
                               "http://127.0.0.1:9999/generation", namespaces="-n"),
            check=True, capture_output=True, text=True).stdout
        answer = json.loads(out)
        return answer["pid"], answer["generation"]

    def pids(self):
        return [pid for pid in descendants(self.machine.nspawn.pid) if runs_demo(pid)]

    def journal(self):
        return self.machine.run("journalctl", "-u", "demo", "--no-pager", "-o", "cat",
                                "--after-cursor", self.cursor).stdout

    def await_main(self, pid):
        wait_until(lambda: self.main_pid() == pid, lambda: f"MAINPID {pid}\n{self.journal()}")

    def load(self, directory, *profiles):
        log = Log(str(directory / "load.out"))
        argv = self.machine.enter(LOAD, "--target", "tcp:127.0.0.1:9999", "--until-eof",
                                  namespaces="-n")
        for profile in profiles:
            argv += ["--profile", profile]
        with open(log.path, "ab") as output:
            process = Process.start(argv, stdin=subprocess.PIPE, stdout=output, stderr=output)
        log.wait_for(re.compile("^ready$", re.MULTILINE))
        return process, log


@pytest.fixture
def unit(machine):
    units = []

    def start(options=""):
        units.append(Unit(machine, options))
        return units[-1]

    yield start
    machine.run("systemctl", "stop", "demo.service", "demo.socket", check=False)
    machine.run("systemctl", "reset-failed", check=False)


def test_reload_is_a_restart_and_loses_nothing(unit, tmp_path):
    service = unit("--probation 0.2")
    process, log = service.load(tmp_path, "new:clients=8", "busy:clients=4")
    for generation in range(2, 7):
        service.reload()
        pid, answered = service.generation()
        assert answered == generation
        service.await_main(pid)
        assert service.state() == "active/running"
    process.stdin.close()
    assert process.wait_exit() == 0
    text = log.text()
    log.close()
    report = Report(json.loads(text.splitlines()[-1]), text)
    assert report.failed == {}, report
    assert set(report.answers) == set(range(1, 7))
    wait_until(lambda: len(service.pids()) == 1, "nobody but the last generation is left")


def test_the_main_pid_follows_at_retirement_and_not_before(unit):
    service = unit("--probation 30")
    first = service.main_pid()
    service.reload()
    second, generation = service.generation()
    assert generation == 2 and second != first
    assert service.main_pid() == first
    assert service.state() == "active/running"
    service.reload()  # which makes the first one retire
    service.await_main(second)


def test_reload_fails_when_the_restart_is_rolled_back(unit):
    service = unit("--probation 0.2")
    before = service.generation()
    service.machine.write("/usr/bin/demo", "#!/bin/sh\necho nothing works >&2\nexit 3\n", 0o755)
    done = service.reload(check=False)
    assert done.returncode != 0
    assert service.generation() == before
    assert service.state() == "active/running"
    assert "status 3" in service.machine.show("demo", "StatusText")
    assert "nothing works" in service.journal()
    service.machine.install(DEMO, "/usr/bin/demo")
    service.reload()
    assert service.generation()[1] == 2


def test_a_crash_in_the_probation_leaves_the_unit_active(unit):
    service = unit("--probation 30")
    first = service.main_pid()
    service.reload()
    second, _ = service.generation()
    os.kill(service.machine.outside(second), signal.SIGKILL)
    wait_until(lambda: service.generation() == (first, 1), "the old one serves again")
    assert service.state() == "active/running"
    assert service.main_pid() == first
    assert service.machine.show("demo", "NRestarts") == "0"
    service.reload()
    assert service.generation()[1] == 2


def test_the_main_process_killed_in_the_probation_leaves_the_other(unit):
    service = unit("--probation 30")
    first = service.main_pid()
    service.reload()
    second, _ = service.generation()
    os.kill(service.machine.outside(first), signal.SIGKILL)
    wait_until(lambda: service.generation() == (second, 2), "the new one goes on")
    assert service.state() == "active/running"


@pytest.mark.parametrize("probation", ["0.2", "30"])
def test_stop_leaves_nobody(unit, probation):
    service = unit(f"--probation {probation}")
    service.reload()
    service.machine.run("systemctl", "stop", "demo")
    assert service.state() == "inactive/dead"
    assert service.machine.show("demo", "Result") == "success"
    assert "SIGKILL" not in service.journal()
    assert service.pids() == []


def test_the_sockets_of_a_socket_unit_survive_restarts(unit, machine):
    with open(os.path.join(SOURCE, "packaging/systemd/demo.socket"), encoding="utf-8") as file:
        machine.write("/etc/systemd/system/demo.socket", file.read())
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "demo.socket")
    service = unit("--probation 0.2")
    for generation in (2, 3):
        service.reload()
        assert service.generation()[1] == generation
    machine.run("systemctl", "stop", "demo.service")
    # The socket is systemd's: the next connection starts the service anew.
    assert service.generation()[1] == 1
    machine.run("systemctl", "stop", "demo.socket")


def test_the_watchdog_is_content(unit, machine):
    service = unit("--probation 0.1")
    machine.write("/etc/systemd/system/demo.service.d/watchdog.conf",
                  "[Service]\nWatchdogSec=1\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "demo")
    seen = service.machine.show("demo", "WatchdogTimestampMonotonic")
    for generation in (2, 3):
        service.reload()
        service.await_main(service.generation()[0])
        for _ in range(3):
            wait_until(lambda: service.machine.show("demo", "WatchdogTimestampMonotonic") != seen,
                       "the watchdog is fed")
            seen = service.machine.show("demo", "WatchdogTimestampMonotonic")
    assert service.state() == "active/running"
    assert service.machine.show("demo", "NRestarts") == "0"
    machine.run("rm", "-r", "/etc/systemd/system/demo.service.d")
    machine.run("systemctl", "daemon-reload")
