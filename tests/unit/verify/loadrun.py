# SPDX-License-Identifier: MIT
"""The load program against the misbehaving server, both as they are on the command line."""

import json
import os
import subprocess

BUILD = os.environ["HOT_BUILD"]
LOAD = os.path.join(BUILD, "tests", "load")
MISBEHAVE = os.path.join(BUILD, "tests", "misbehave")

CLASSES = {"refused", "connect_timeout", "reset", "cut", "keepalive_race", "timeout", "malformed",
           "wrong_status", "wrong_bytes", "gap", "duplicate", "client"}
NUMBERS = {"client", "connection", "connect", "due", "sent", "first_byte", "end", "generation", "pid",
           "status", "bytes", "under", "latest"}


class Server:
    """`with Server("race") as server:`; server.line() tells it that something happens now."""

    def __init__(self, mode, path=None):
        argv = [MISBEHAVE, mode] + ([f"unix:{path}"] if path else [])
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        kind, where = self.process.stdout.readline().split(maxsplit=1)
        self.target = f"unix:{where.strip()}" if kind == "path" else f"tcp:127.0.0.1:{where.strip()}"

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def wait_slow_request(self):
        """Until it has read a GET /hello, which it answers at the next line()."""
        assert self.process.stdout.readline() == "waiting\n"

    def line(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end_input(self):
        self.process.stdin.close()


class Load:
    """A load under way. Its lines are read one by one: that is how a test waits for an event."""

    def __init__(self, target, *argv):
        self.process = subprocess.Popen([LOAD, "--target", target, *argv], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
        self.process.wait()

    def wait_line(self, beginning):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith(beginning):
                return line.rstrip("\n")
        raise AssertionError(f"no line {beginning!r}: {self.lines}")

    def end(self):
        """What it says once its stdin has ended, or when it ends by itself."""
        self.process.stdin.close()
        self.lines += self.process.stdout.read().splitlines()
        stderr = self.process.stderr.read()
        assert self.process.wait() == 0, stderr
        assert stderr == ""
        summary = json.loads(self.lines[-1])
        check_sums(summary)
        return summary


def run(target, *argv):
    """A load that ends by itself."""
    with Load(target, *argv) as load:
        return load.end()


def check_sums(summary):
    """What holds for every summary, whatever happened."""
    for part in [summary, *summary["profiles"]]:
        requests = part["requests"]
        assert set(requests["failed"]) == CLASSES
        assert requests["failed_total"] == sum(requests["failed"].values())
        assert requests["sent"] == requests["ok"] + requests["unserved"] + requests["failed_total"]
    for key in ("sent", "ok", "unserved", "failed_total"):
        assert summary["requests"][key] == sum(p["requests"][key] for p in summary["profiles"])
    for profile in summary["profiles"]:
        assert profile["latency"]["count"] == profile["requests"]["ok"]


def failed(part):
    return {name: n for name, n in part["requests"]["failed"].items() if n}


def reconnects(part):
    return {name: n for name, n in part["reconnects"].items() if n}


def records(path):
    with open(path, encoding="ascii") as file:
        names = file.readline().rstrip("\n").split("\t")
        rows = [dict(zip(names, line.rstrip("\n").split("\t"))) for line in file]
    return [{k: int(v) if k in NUMBERS else v for k, v in row.items()} for row in rows]
