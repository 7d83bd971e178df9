# SPDX-License-Identifier: MIT
"""A machine with a real systemd: a container booted from a root file system of its own.

Its init runs under systemd-nspawn with a private network. Programs of the host are copied into it with
their shared libraries. Commands run in its namespaces; a client of the host can be put into its network
alone.
"""

import os
import re
import shutil
import subprocess

from process import Process, descendants
from waiting import wait_until


class Container:
    def __init__(self, root, log):
        self.root = root
        self.log = log
        with open(log.path, "ab") as output:
            self.nspawn = Process.start(
                ["systemd-nspawn", "--quiet", "--volatile=overlay", "--boot", "--directory", root,
                 "--register=no", "--keep-unit", "--private-network", "--console=pipe"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.leader = wait_until(self._find_leader, lambda: f"it boots:\n{log.text()}", None,
                                 [self.nspawn])
        wait_until(self._is_running, lambda: f"it runs:\n{log.text()}", None, [self.nspawn])

    def _find_leader(self):
        assert not self.nspawn.has_exited(), self.log.text()
        try:
            return self.outside(1)
        except ProcessLookupError:
            return None

    def _is_running(self):
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def enter(self, *argv, namespaces="-a"):
        return ["nsenter", "-t", str(self.leader), namespaces, *argv]

    def run(self, *argv, check=True):
        """A command inside, to its end."""
        done = subprocess.run(self.enter(*argv), check=False, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=120)
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done

    def show(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit).stdout.strip()

    def path(self, inside):
        """A file of the container, seen from here."""
        return f"/proc/{self.leader}/root{inside}"

    def write(self, inside, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        temporary = self.path(inside + ".new")
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, mode)
        os.rename(temporary, self.path(inside))

    def install(self, program, inside):
        """Copy a program in, with what the loader will want for it."""
        listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
        for library in re.findall(r"(/\S+) \(0x", listing):
            target = self.path(os.path.realpath(os.path.dirname(library)))
            os.makedirs(target, exist_ok=True)
            if not os.path.exists(os.path.join(target, os.path.basename(library))):
                shutil.copy(library, target)
        temporary = self.path(inside + ".new")
        shutil.copy(program, temporary)
        os.rename(temporary, self.path(inside))

    def outside(self, pid):
        """A process of the container by its pid inside, as it is called here."""
        for candidate in descendants(self.nspawn.pid):
            try:
                with open(f"/proc/{candidate}/status", encoding="ascii") as file:
                    numbers = re.search(r"^NSpid:\t(.*)$", file.read(), re.MULTILINE)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(numbers[-1]) == pid and len(numbers) > 1:
                return candidate
        raise ProcessLookupError(pid)

    def close(self):
        self.run("systemctl", "poweroff", check=False)
        try:
            self.nspawn.wait_exit()
        finally:
            self.nspawn.close()
            self.log.close()
