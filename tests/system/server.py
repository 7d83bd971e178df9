# SPDX-License-Identifier: MIT
"""The server under test through all its generations, and a client that talks to it.

build/demo is started as a user would start it. Where it listens is asked of the kernel (its
listening sockets, borrowed by pidfd), who answers is read from X-Pid and X-Generation.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket

from process import Process, descendants, describe, reap
from waiting import Deadline, Log, wait_until

BUILD = os.environ.get("HOT_BUILD") or os.path.join(os.path.dirname(__file__), "../../build")
BUILD = os.path.realpath(BUILD)
DEMO = os.path.join(BUILD, "demo")


class Answer:
    """A complete response and who gave it."""

    def __init__(self, response):
        self.body = response.read()
        self.status = response.status
        self.headers = response.headers
        self.pid = int(response.headers.get("X-Pid", -1))
        self.generation = int(response.headers.get("X-Generation", -1))

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection. Never retries."""

    def __init__(self, address, timeout=None):
        family, self.sockaddr = address
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout or Deadline().left())
        try:
            self.socket.connect(self.sockaddr)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def request(self, path, method="GET", body=None, headers=()):
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines) + "\r\n\r\n")
        if body:
            self.send(body)

    def answer(self):
        response = http.client.HTTPResponse(self.socket)
        try:
            response.begin()
            return Answer(response)
        finally:
            response.close()

    def hold(self):
        """Begin a request that is answered by who has read its head: with a part of it the connection would move
        to the next generation."""
        self.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        expected = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert self.socket.recv(len(expected), socket.MSG_WAITALL) == expected

    def let_go(self):
        """The rest of it, and its answer."""
        self.send("x")
        return self.answer()

    def get(self, path, headers=()):
        self.request(path, headers=headers)
        return self.answer()


def bound_address(process, row):
    """Where a listening descriptor of a process is bound, as (family, sockaddr to connect to)."""
    with socket.socket(fileno=process.borrow(row.number)) as copy:
        name = copy.getsockname()
        if copy.family == socket.AF_INET and name[0] == "0.0.0.0":
            name = ("127.0.0.1", name[1])
        if copy.family == socket.AF_INET6 and name[0] == "::":
            name = ("::1", name[1])
        return copy.family, name


class Server:
    """All generations of one server."""

    def __init__(self, first, log, address=None):
        self.log = log
        self.address = address
        self.generation = 1
        self.processes = {1: first}
        self.stopped = False

    @property
    def current(self):
        return self.processes[self.generation]

    @property
    def first(self):
        return self.processes[1]

    def await_listening(self):
        """Wait until the first process listens somewhere, and learn where."""

        def listening():
            assert not self.first.has_exited(), f"it ended:\n{self.log.text()}"
            return self.first.listeners()

        rows = wait_until(
            listening, f"{self.first} listens", None, [self.log.watch, self.first]
        )
        if self.address is None:
            self.address = bound_address(self.first, rows[0])

    def await_generation(self, generation):
        """Wait until `generation` answers a new connection; a later one would be a surprise."""

        def answered():
            answer = self.get("/generation")
            assert answer.generation <= generation, (
                f"generation {answer.generation} answers, {generation} was expected\n"
                + self.log.text()
            )
            return answer if answer.generation == generation else None

        answer = wait_until(
            answered, lambda: f"generation {generation} answers\n{self.log.text()}",
            None, [self.log.watch]
        )
        if generation not in self.processes:
            self.processes[generation] = Process(answer.pid)
        self.generation = generation
        return answer

    def connect(self, timeout=None):
        return Client(self.address, timeout)

    def get(self, path, headers=("Connection: close",)):
        """One request on a connection of its own."""
        with self.connect() as client:
            return client.get(path, headers)

    def restart(self):
        """Ask for a restart, wait until the new generation answers; return its process."""
        self.current.signal(signal.SIGUSR2)
        self.await_generation(self.generation + 1)
        return self.current

    def await_draining(self, process):
        """Wait until an old generation has heard that it is committed: from then on it never
        resumes."""
        self.log.wait_for(re.compile(rf"^\[pid {process.pid}\] draining", re.MULTILINE))

    def retire_predecessors(self):
        """Wait until only the current generation is left."""
        for generation, process in list(self.processes.items()):
            if generation != self.generation:
                assert process.wait_exit() in (0, None), self.log.text()
                process.close()
                del self.processes[generation]

    def stop(self):
        """SIGTERM, and the end of every generation. Returns the last one's exit status."""
        self.stopped = True
        current = self.current
        if not current.has_exited():
            current.signal(signal.SIGTERM)
        status = current.wait_exit()
        for process in self.processes.values():
            process.wait_exit()
        return status

    def refuses(self):
        """Does nobody listen where it did?"""
        try:
            self.connect(5).close()
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        except ConnectionResetError:
            pass  # the listener was closed between its handshake and its accept
        return False

    def close(self):
        for process in self.processes.values():
            process.close()
        self.log.close()


class Household:
    """What one test starts. Nothing of it may outlive the test."""

    def __init__(self, directory):
        self.directory = directory
        self.before = set(descendants())
        self.servers = []
        self.processes = []

    def log(self, name):
        return Log(os.path.join(self.directory, name))

    def start(self, argv, log, **kwargs):
        """Start a program with its stderr (and stdout) appended to `log`."""
        with open(log.path, "ab") as output:
            process = Process.start(argv, stdin=kwargs.pop("stdin", -3), stdout=output,
                                    stderr=output, **kwargs)
        self.processes.append(process)
        return process

    def demo(self, *options, listen=("tcp://127.0.0.1:0",), argv0=None, program=None, ready=True,
             address=None, **kwargs):
        """
        Start build/demo (or `program`), without a probation unless one is given, and wait until it
        answers. `address` is where, for a UNIX
        path, whose socket has the temporary name that it was bound under.
        """
        log = self.log(f"demo-{len(self.servers)}.log")
        argv = [argv0 or program or DEMO]
        for one in listen:
            argv += ["--listen", one]
        argv += [str(option) for option in options]
        if "--probation" not in argv:
            # Most tests look at what is left when the old generation is gone, and need not wait.
            argv += ["--probation", "0"]
        process = self.start(argv, log, executable=program or DEMO, **kwargs)
        server = Server(process, log, address)
        self.servers.append(server)
        if ready:
            server.await_listening()
            assert server.get("/test").status == 200
        return server

    def stray(self):
        reap()
        return {pid: state for pid, state in descendants().items() if pid not in self.before}

    def expect_no_stray(self):
        """Wait until no process of the test is left. One that stays is a failure."""
        wait_until(
            lambda: not self.stray(),
            lambda: "no process left: " + "; ".join(describe(pid) for pid in self.stray()),
            Deadline(10),
        )

    def close(self):
        """Stop what runs, look for what was left behind, then kill that."""
        try:
            left = [server for server in self.servers if not server.stopped]
            for server in left:
                # None: its predecessor, which still drained, was its parent.
                status = server.stop()
                assert status in (0, None), f"exit status {status}:\n{server.log.text()}"
            self.expect_no_stray()
            for server in left:
                assert server.address is None or server.refuses(), "somebody still listens"
        finally:
            self.abandon()
        shutil.rmtree(self.directory)

    def abandon(self):
        """Kill what is left, which is nothing unless the test has failed, and forget it."""
        for pid in self.stray():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.expect_no_stray()
        for process in self.processes:
            process.close()
        for server in self.servers:
            server.close()
