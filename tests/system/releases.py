# SPDX-License-Identifier: MIT
"""A deployment: releases side by side, and `current`, the symlink that is switched atomically."""

import os
import select
import shutil
import textwrap

from server import DEMO
from waiting import PATIENCE


class Releases:
    def __init__(self, directory):
        self.directory = os.path.join(directory, "deploy")
        os.mkdir(self.directory)
        self.current = self.path("current")

    def path(self, name):
        return os.path.join(self.directory, name)

    def install(self, name, program=DEMO):
        """A copy of a program, as its own file."""
        shutil.copy(program, self.path(name))
        return self.path(name)

    def file(self, name, content, mode):
        with open(self.path(name), "wb") as file:
            file.write(content)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def shell(self, name, *lines):
        return self.file(name, ("#!/bin/sh\n" + "\n".join(lines) + "\n").encode(), 0o755)

    def python(self, name, text):
        """A program in Python, isolated from the environment and from site packages."""
        text = "#!/usr/bin/python3 -IS\n" + textwrap.dedent(text)
        return self.file(name, text.encode(), 0o755)

    def switch(self, target):
        """current -> target, in one step."""
        temporary = self.path("next")
        os.symlink(target, temporary)
        os.rename(temporary, self.current)


class Gate:
    """A release `waits`: at a word of the test it goes on as what `current` is by then."""

    def __init__(self, releases):
        path, reached = releases.path("gate"), releases.path("reached")
        os.mkfifo(path)
        os.mkfifo(reached)
        releases.shell("waits", f'echo > "{reached}"', f'read word < "{path}"',
                       f'exec "{releases.current}" "$@"')
        self.fd = os.open(path, os.O_RDWR)
        self.reached = os.open(reached, os.O_RDWR | os.O_NONBLOCK)

    def await_reached(self):
        """The shell runs: from here on the script may be switched under its name."""
        assert select.select([self.reached], [], [], PATIENCE)[0]
        os.read(self.reached, 1)

    def open(self):
        os.write(self.fd, b"go\n")

    def close(self):
        os.close(self.fd)
        os.close(self.reached)
