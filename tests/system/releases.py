# SPDX-License-Identifier: MIT
"""A deployment: releases side by side, and `current`, the symlink that is switched atomically."""

import os
import shutil
import textwrap

from server import DEMO


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
