# SPDX-License-Identifier: MIT
"""The load client (tests/helpers/load.c) against a server under test, and what it reports."""

import json
import os
import re
import socket
import subprocess

from server import BUILD

LOAD = os.path.join(BUILD, "tests", "load")
COLUMNS = set(
    "connection connect due sent first_byte end generation pid status bytes under latest".split()
)


class Record:
    """One request, as the load client wrote it down; times are CLOCK_MONOTONIC ns."""

    def __init__(self, names, line):
        for name, value in zip(names, line.split("\t")):
            setattr(self, name, int(value) if name in COLUMNS else value)


class Report:
    def __init__(self, summary, log):
        self.summary = summary
        self.log = log
        self.answers = {row["generation"]: row["answers"] for row in summary["generations"]}
        self.first = {row["generation"]: row["first"] for row in summary["generations"]}
        self.profiles = {row["name"]: row for row in summary["profiles"]}

    @property
    def failed(self):
        """The classes of failure that occurred, with their numbers."""
        return {k: v for k, v in self.summary["requests"]["failed"].items() if v}

    def __repr__(self):
        return self.log


def target_of(address):
    family, name = address
    if family == socket.AF_UNIX:
        if isinstance(name, bytes):
            return "unix:@" + name[1:].decode()
        return "unix:" + name
    host = f"[{name[0]}]" if family == socket.AF_INET6 else name[0]
    return f"tcp:{host}:{name[1]}"


class Load:
    """
    `with Load(household, server, "new:clients=32") as load:` loads the server inside the block.
    """

    def __init__(self, household, server, *profiles, options=()):
        name = f"load-{len(household.processes)}"
        self.records_path = os.path.join(household.directory, name + ".records")
        self.log = household.log(name + ".out")
        argv = [LOAD, "--target", target_of(server.address), "--until-eof"]
        for profile in profiles:
            argv += ["--profile", profile]
        argv += ["--records", self.records_path, *options]
        self.process = household.start(argv, self.log, stdin=subprocess.PIPE)

    def __enter__(self):
        self.wait_ready()
        return self

    def __exit__(self, kind, value, traceback):
        self.process.stdin.close()
        if kind is None:
            assert self.process.wait_exit() == 0, self.log.text()
        self.log.close()

    def wait_ready(self):
        self.log.wait_for(re.compile(r"^ready$", re.MULTILINE))

    def wait_generation(self, generation):
        """Wait until a client of this load was answered by `generation`."""
        self.log.wait_for(re.compile(rf"^generation {generation} ", re.MULTILINE))

    def report(self):
        """After the block: what came of every request."""
        text = self.log.text()
        return Report(json.loads(text.splitlines()[-1]), text)

    def records(self):
        with open(self.records_path, encoding="ascii") as file:
            names = file.readline().rstrip("\n").split("\t")
            return [Record(names, line.rstrip("\n")) for line in file]
