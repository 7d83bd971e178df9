# SPDX-License-Identifier: MIT
"""The servers: how each is started, how it is restarted, and which processes are its own."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("HOT_BUILD", os.path.join(ROOT, "build"))
NOBODY = 9     # a port where a backend would be
PATIENCE = 20  # seconds until something that should happen is said not to


class Trouble(Exception):
    """A server that does not do what it should."""


def wait_until(what, condition, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Trouble(what)
        time.sleep(0.002)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def read_pid(path):
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


class Server:
    """A server and the folder it works in. Every process of its session is its own."""

    program = None        # that must be installed
    post = "/test"        # where POST is answered at once
    post_expects = ",expect=test 22222"

    def __init__(self, directory, arguments=(), backend=NOBODY):
        self.directory, self.arguments, self.backend = directory, arguments, backend
        self.generation = 0
        self.port = free_port()
        self.output = os.path.join(directory, "output")
        os.chmod(directory, 0o755)
        with open(self.output, "wb") as out:
            self.process = subprocess.Popen(self.argv(), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            start_new_session=True)
        self.sessions = {self.process.pid}
        try:
            wait_until("it does not start", self.answers)
            self.started()
        except Trouble as trouble:
            self.stop()
            with open(self.output, encoding="utf-8", errors="replace") as out:
                raise Trouble(f"{trouble}: {out.read().strip()}") from None

    @classmethod
    def is_installed(cls):
        return cls.program is None or shutil.which(cls.program) is not None

    # What a server says of itself

    def argv(self):
        raise NotImplementedError

    def started(self):
        pass

    def trigger(self):
        """Restart; returns once the signal is sent."""
        raise NotImplementedError

    # What is the same for all

    def configure(self, name, **words):
        """Fill in a configuration."""
        with open(os.path.join(HERE, name), encoding="utf-8") as file:
            text = file.read()
        words |= {"DIR": self.directory, "PORT": self.port, "GENERATION": self.generation, "BACKEND": self.backend}
        for word, value in words.items():
            text = text.replace(f"@{word}@", str(value))
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def restart(self):
        """Trigger a restart. Returns when it was, and which generation is to answer."""
        self.prepare()
        before = time.monotonic_ns()
        self.trigger()
        return before, self.generation

    def prepare(self):
        """Before a generation starts: give it its number, and what it is to read."""
        self.generation += 1

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def pids(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getsid(int(pid)) in self.sessions and not is_zombie(pid):
                    found.append(int(pid))
            except (ProcessLookupError, PermissionError):
                continue
        return found

    def memory(self, pids=None):
        """Bytes that are its own: the proportional sets of all its processes."""
        total = 0
        for pid in self.pids() if pids is None else pids:
            try:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                    total += int(re.search(r"^Pss:\s+(\d+) kB", file.read(), re.MULTILINE)[1]) * 1024
            except (ProcessLookupError, FileNotFoundError, TypeError):
                continue  # it has ended
        return total

    def stop(self):
        while True:
            pids = self.pids()
            if not pids:
                break
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.001)
        self.process.wait()


def is_zombie(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"


class Demo(Server):
    post = "/echo"
    post_expects = ""

    def argv(self):
        self.prepare()
        self.pid_file = os.path.join(self.directory, "demo.pid")
        return [os.path.join(BUILD, "demo"), "--listen", f"127.0.0.1:{self.port}", "--pid-file", self.pid_file,
                "--control", os.path.join(self.directory, "control"), *self.arguments]

    def started(self):
        wait_until("it writes no PID file", lambda: read_pid(self.pid_file))

    def trigger(self):
        os.kill(read_pid(self.pid_file), signal.SIGUSR2)


class Nginx(Server):
    program = "nginx"

    def argv(self):
        self.pid_file = os.path.join(self.directory, "nginx.pid")
        # By its whole name: a relative one is not found again at an upgrade.
        self.prepare()
        return [shutil.which("nginx"), "-c", os.path.join(self.directory, "nginx.conf")]

    def started(self):
        """The daemon leads a session of its own, and forks its workers after that."""
        pid = wait_until("it writes no PID file", lambda: read_pid(self.pid_file))
        wait_until("it is no daemon", lambda: os.getsid(pid) == pid)
        self.sessions = {pid}
        wait_until("it has no workers", lambda: len(self.pids()) == 3)

    def prepare(self):
        super().prepare()
        self.configure("nginx.conf")


class NginxReload(Nginx):
    def trigger(self):
        os.kill(read_pid(self.pid_file), signal.SIGHUP)


class NginxUpgrade(Nginx):
    """The new master first, then the old one is told to leave."""

    def trigger(self):
        old = read_pid(self.pid_file)
        os.kill(old, signal.SIGUSR2)
        wait_until("no new master", lambda: read_pid(self.pid_file) not in (None, old), 3)
        os.kill(old, signal.SIGQUIT)


class Haproxy(Server):
    program = "haproxy"
    option = ""

    def started(self):
        """A signal to reload that comes before the first load is over is lost."""
        def has_loaded():
            with open(self.output, encoding="utf-8", errors="replace") as out:
                return "Loading success" in out.read()
        wait_until("it does not load", has_loaded)

    def argv(self):
        self.prepare()
        return ["haproxy", "-W", "-f", os.path.join(self.directory, "haproxy.cfg")]

    def prepare(self):
        super().prepare()
        self.configure("haproxy.cfg", OPTION=self.option)

    def trigger(self):
        os.kill(self.process.pid, signal.SIGUSR2)


class HaproxyOnResponse(Haproxy):
    option = "option idle-close-on-response"


class H2o(Server):
    program = "h2o"

    @classmethod
    def is_installed(cls):
        return super().is_installed() and shutil.which("start_server") is not None

    def argv(self):
        self.prepare()
        return ["start_server", f"--port=127.0.0.1:{self.port}", "--",
                "h2o", "-c", os.path.join(self.directory, "h2o.conf")]

    def prepare(self):
        super().prepare()
        self.configure("h2o.conf", USER=pwd.getpwuid(os.getuid()).pw_name)

    def trigger(self):
        os.kill(self.process.pid, signal.SIGHUP)


class Lighttpd(Server):
    program = "lighttpd"

    def argv(self):
        self.prepare()
        return ["lighttpd", "-D", "-f", os.path.join(self.directory, "lighttpd.conf")]

    def prepare(self):
        super().prepare()
        for name in ("lighttpd.conf", "lighttpd.lua"):
            self.configure(name)

    def trigger(self):
        os.kill(self.process.pid, signal.SIGUSR1)


# Name: kind, arguments.
SERVERS = {
    "demo": (Demo, ()),
    "demo-p0": (Demo, ("--probation", "0")),
    "demo-fast": (Demo, ("--handover-pace", "0")),
    "demo-fast-p0": (Demo, ("--handover-pace", "0", "--probation", "0")),
    "nginx-reload": (NginxReload, ()),
    "nginx-upgrade": (NginxUpgrade, ()),
    "haproxy": (Haproxy, ()),
    "haproxy-response": (HaproxyOnResponse, ()),
    "h2o": (H2o, ()),
    "lighttpd": (Lighttpd, ()),
}


PEERS = [name for name in SERVERS if not name.startswith("demo-fast")]


def with_server(name, measure, backend=NOBODY):
    """Start it in a folder of its own, measure, stop it. A backend's port is where tunnels lead to."""
    kind, arguments = SERVERS[name]
    with tempfile.TemporaryDirectory() as folder:
        server = kind(folder, arguments, backend)
        try:
            return measure(server)
        finally:
            server.stop()


def choose(wanted):
    """The names of the servers that are here; says which are not."""
    names = []
    for name, (kind, _) in SERVERS.items():
        if name not in (wanted or PEERS):
            continue
        if kind.is_installed():
            names.append(name)
        else:
            print(f"bench/restart: {name} is not installed, and left out (tools/deps bench)")
    return names
