# SPDX-License-Identifier: MIT
"""Runs `hotstart verify` and reads what it says."""
import json
import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ.get("HOT_BUILD", "../../build")).resolve()
HOTSTART = BUILD / "hotstart"
DEMO = BUILD / "demo"
MISRESTART = BUILD / "tests/misrestart"


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err
        self.json = json.loads(out) if out.startswith("{") else None

    def __str__(self):
        return f"status {self.status}\n{self.out}\n{self.err}"

    def failed(self):
        """The classes of failed requests, those that there are."""
        return {name: n for name, n in self.json["requests"]["failed"].items() if n}

    def classes(self, *severities):
        """The classes of the findings."""
        return {f["class"] for f in self.json["findings"]
                if f["severity"] in (severities or ("suffered",))}

    def finding(self, name):
        return next(f for f in self.json["findings"] if f["class"] == name)


def run(*arguments, timeout=120, env=None):
    done = subprocess.run([HOTSTART, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout, env=env)
    return Result(done.returncode, done.stdout, done.stderr)


def verify(*arguments, timeout=120, env=None):
    return run("verify", "--json", *arguments, timeout=timeout, env=env)


def exists(pid):
    return pathlib.Path(f"/proc/{pid}").exists()
