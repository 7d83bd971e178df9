# SPDX-License-Identifier: MIT
"""A strict service manager: the receiving end of $NOTIFY_SOCKET, as sd_notify(3) has it.

It reads who sent each datagram from the kernel (SO_PASSCRED), takes nothing that is not NAME=VALUE
lines with known names, and notes what a PID file says at the moment a message arrives.
"""

import os
import re
import socket
import struct
import threading
import time

from waiting import wait_until

KNOWN = {
    "READY": r"1",
    "RELOADING": r"1",
    "STOPPING": r"1",
    "MONOTONIC_USEC": r"\d+",
    "STATUS": r".+",
    "MAINPID": r"\d+",
    "MAINPIDFDID": r"\d+",
    "BARRIER": r"1",
    "EXTEND_TIMEOUT_USEC": r"\d+",
    "WATCHDOG": r"1",
}
CREDENTIALS = struct.Struct("3i")


class Message:
    def __init__(self, pid, fields, pid_file):
        self.pid = pid
        self.fields = fields
        self.pid_file = pid_file
        self.at = time.monotonic_ns() // 1000

    def __contains__(self, name):
        return name in self.fields

    def __getitem__(self, name):
        return self.fields[name]

    def __repr__(self):
        return f"{self.pid}: {self.fields}"


class Manager:
    def __init__(self, path, pid_file=None):
        self.pid_file = pid_file
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(b"\0" + path[1:].encode() if path.startswith("@") else path)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.messages = []
        self.wrong = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while True:
            data, ancillary, flags, _ = self.socket.recvmsg(4096, 4096)
            if not data:
                return
            pid, fds = None, []
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                    pid = CREDENTIALS.unpack(value)[0]
                elif kind == socket.SCM_RIGHTS:
                    fds += struct.unpack(f"{len(value) // 4}i", value)
            self._take(data, pid, fds, flags)
            for fd in fds:
                os.close(fd)

    def _take(self, data, pid, fds, flags):
        fields = {}
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            self.wrong.append(f"{pid}: truncated")
        for line in data.decode().rstrip("\n").split("\n"):
            name, _, value = line.partition("=")
            if name not in KNOWN or not re.fullmatch(KNOWN[name], value) or name in fields:
                self.wrong.append(f"{pid}: {line!r}")
            fields[name] = value
        if ("BARRIER" in fields) != (len(fds) == 1) or ("BARRIER" in fields and len(fields) > 1):
            self.wrong.append(f"{pid}: {fields} with {len(fds)} descriptors")
        if "RELOADING" in fields and "MONOTONIC_USEC" not in fields:
            self.wrong.append(f"{pid}: RELOADING without MONOTONIC_USEC")
        self.messages.append(Message(pid, fields, self._read_pid_file()))

    def _read_pid_file(self):
        try:
            with open(self.pid_file, encoding="ascii") as file:
                return file.read()
        except (TypeError, FileNotFoundError):
            return None

    def wait_for(self, name, value=None, after=0):
        """Wait for a message after the first `after` ones with this field; return its index."""

        def found():
            for index in range(after, len(self.messages)):
                message = self.messages[index]
                if name in message and value in (None, message[name]):
                    return index + 1
            return None

        return wait_until(found, lambda: f"{name}={value}; so far: {self.messages[after:]}") - 1

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()
        assert self.wrong == []
