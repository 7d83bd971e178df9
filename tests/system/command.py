# SPDX-License-Identifier: MIT
"""The command line around a server under test, and the socket that it talks to."""

import json
import os
import re
import socket
import subprocess

from process import Process
from server import BUILD
from waiting import PATIENCE

HOTSTART = os.path.join(BUILD, "hotstart")


class Ended:
    """What a command that has ended said."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


def hotstart(*arguments, **kwargs):
    """Run it to its end."""
    argv = [HOTSTART, *(str(one) for one in arguments)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False, **kwargs)
    return Ended(done.returncode, done.stdout, done.stderr)


class Command:
    """One that runs beside the test."""

    def __init__(self, household, *arguments):
        name = f"command-{len(household.processes)}"
        self.out = household.log(name + ".out")
        self.err = household.log(name + ".err")
        with open(self.out.path, "ab") as out, open(self.err.path, "ab") as err:
            self.process = Process.start(
                [HOTSTART, *(str(one) for one in arguments)], stdin=-3, stdout=out, stderr=err
            )
        household.processes.append(self.process)

    def wait(self):
        status = self.process.wait_exit()
        ended = Ended(status, self.out.text(), self.err.text())
        self.out.close()
        self.err.close()
        return ended


def control_path(process):
    return os.path.join(os.environ["XDG_RUNTIME_DIR"], "hotstart", str(process.pid))


class Control:
    """A connection to a control socket, spoken as hotstart-control(7) has it, with no code of ours."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.hello = self.hear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def say(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else (data + "\n").encode())

    def hear(self):
        """The next answer; None at the end."""
        line = self.file.readline()
        if not line:
            return None
        assert line.endswith(b"\n"), line
        answer = json.loads(line)
        assert isinstance(answer["type"], str)
        return answer

    def ask(self, request):
        self.say(request)
        return self.hear()


def status_of(process):
    with Control(control_path(process)) as control:
        return control.ask("status")


def build_id(path):
    """Of a program, as binutils has it."""
    out = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True).stdout
    return re.search(r"Build ID: ([0-9a-f]+)", out).group(1)
