# SPDX-License-Identifier: MIT
"""Processes that do as they are told: a Python that runs the lines it is sent, under a name of its own.

A copy of the interpreter is its program, so that what one test calls a server shares its program with nobody
else on the machine, the test included.
"""

import json
import os
import shutil
import subprocess
import sys

from process import Process

SCRIPT = r"""
import json, os, select, signal, socket, sys
scope = {}
exec("import ctypes, fcntl, os, select, signal, socket, struct, subprocess, sys", scope)
if os.environ.get("PUPPET_FD"):
    lines = answers = socket.socket(fileno=int(os.environ["PUPPET_FD"])).makefile("rw")
else:
    lines, answers = sys.stdin, sys.stdout
for line in iter(lines.readline, ""):
    scope["result"] = None
    try:
        exec(json.loads(line), scope)
        reply = {"result": scope["result"]}
    except BaseException as error:
        reply = {"error": repr(error)}
    answers.write(json.dumps(reply) + "\n")
    answers.flush()
"""


class Puppets:
    """Makes puppets of one program, and ends them."""

    def __init__(self, directory, name="server"):
        self.program = os.path.join(directory, name)
        shutil.copy(os.path.realpath(sys.executable), self.program)
        self.puppets = []

    def start(self, pass_fds=(), env=None, command=(), **kwargs):
        process = Process.start(
            [*command, self.program, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, pass_fds=pass_fds,
            env={"PATH": os.environ["PATH"], "PYTHONHOME": sys.base_prefix, **(env or {})}, **kwargs)
        puppet = Puppet(process)
        self.puppets.append(puppet)
        puppet.run("pass")
        return puppet

    def generation(self, number, *listeners):
        """A process that was started to take these listeners over, as libhotstart does it."""
        return self.start(pass_fds=[l.fileno() for l in listeners],
                          env={"HOT_CHANNEL": "9", "HOT_GENERATION": str(number)})

    def close(self):
        for puppet in self.puppets:
            puppet.process.kill()
            puppet.process.wait_exit()
            puppet.process.stdin.close()
            puppet.process.stdout.close()
            puppet.process.close()


class Puppet:
    def __init__(self, process):
        self.process = process
        self.pid = process.pid

    def run(self, code):
        """Run lines of Python in it; what they leave in `result` is returned."""
        self.process.stdin.write(json.dumps(code).encode() + b"\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        assert "error" not in reply, reply["error"]
        return reply["result"]

    def ask(self, expression):
        return self.run(f"result = {expression}")

    def stop(self):
        self.process.kill()
        self.process.wait_exit()
