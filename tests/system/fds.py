# SPDX-License-Identifier: MIT
"""`hotstart fds` as a user runs it."""

import json
import os
import subprocess

from server import BUILD

HOTSTART = os.path.join(BUILD, "hotstart")


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.stdout = done.stdout
        self.stderr = done.stderr

    @property
    def lines(self):
        return self.stdout.splitlines()

    def json(self):
        return json.loads(self.stdout)

    def jsonl(self):
        return [json.loads(line) for line in self.lines]

    def __repr__(self):
        return f"status {self.status}\n{self.stdout}\n{self.stderr}"


def fds(*arguments, command=(), **kwargs):
    """Run it to its end."""
    return Result(subprocess.run([*command, HOTSTART, "fds", *map(str, arguments)], capture_output=True,
                                 text=True, errors="surrogateescape", stdin=subprocess.DEVNULL, **kwargs))


def rows(*arguments, columns):
    """The cells of a list, a tuple for each line."""
    found = fds(*arguments, "--no-headings", "-o", ",".join(columns))
    return [tuple(line.split(None, len(columns) - 1)) for line in found.lines]


def findings(*arguments, **kwargs):
    """What --check says of them: (code, pid, descriptor, sentence)."""
    found = fds("--check", "--jsonl", *arguments, **kwargs)
    result = [(f["code"], f["pid"], f["fd"], f["text"]) for f in found.jsonl()]
    assert found.status == (1 if result else 0), found
    return result


def codes(*arguments, **kwargs):
    return [code for code, _, _, _ in findings(*arguments, **kwargs)]
