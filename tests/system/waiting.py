# SPDX-License-Identifier: MIT
"""Waiting for what happens, never for time to pass.

Everything here ends in a poll(2) on descriptors that the kernel makes readable: pidfds (a process
has ended), inotify (a file has grown), sockets. Where the kernel has no event for a state of /proc,
the poll has a short timeout and the state is looked at again: that is the one place, wait_until(),
where a test looks twice.
"""

import ctypes
import os
import select
import time

# How long a test waits for what must happen. Never an assertion on speed: a sanitizer build on a
# busy machine needs a multiple of what a quiet one does.
PATIENCE = float(os.environ.get("HOT_PATIENCE", "30"))

IN_MODIFY = 0x002
LOOK_AGAIN_MS = 5

libc = ctypes.CDLL(None, use_errno=True)


class Late(AssertionError):
    """What should have happened did not, in time."""


def checked(result):
    """The result of a libc call, or the OSError it stands for."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


class Deadline:
    """A moment, CLOCK_MONOTONIC."""

    def __init__(self, seconds=None):
        self.at = time.monotonic() + (PATIENCE if seconds is None else seconds)

    def left(self):
        return max(0.0, self.at - time.monotonic())

    def passed(self):
        return self.left() == 0.0


class FileWatch:
    """An inotify descriptor that is readable once a file was written to."""

    def __init__(self, path):
        self.fd = checked(libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))
        checked(libc.inotify_add_watch(self.fd, os.fsencode(path), IN_MODIFY))

    def fileno(self):
        return self.fd

    def clear(self):
        try:
            while os.read(self.fd, 4096):
                pass
        except BlockingIOError:
            pass

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def wait_until(predicate, what, deadline=None, watch=()):
    """
    Call `predicate` until it returns something true, and return that.

    `watch`: objects with fileno() that become readable when it is worth looking again. A process
    that ended stays readable, so the look after it is not repeated without end: the short timeout
    paces it.
    """
    deadline = deadline or Deadline()
    poller = select.poll()
    for one in watch:
        poller.register(one, select.POLLIN)
    while True:
        found = predicate()
        if found:
            return found
        if deadline.passed():
            raise Late(f"not in time: {what() if callable(what) else what}")
        ready = poller.poll(LOOK_AGAIN_MS)
        for fd, _ in ready:
            for one in watch:
                if isinstance(one, FileWatch) and one.fd == fd:
                    one.clear()
                    break
            else:
                poller.unregister(fd)


class Log:
    """A file that processes append to, read as lines, awaited by inotify."""

    def __init__(self, path):
        self.path = path
        with open(path, "ab"):
            pass
        self.watch = FileWatch(path)

    def text(self):
        with open(self.path, "rb") as file:
            return file.read().decode("utf-8", "replace")

    def lines(self):
        return self.text().splitlines()

    def size(self):
        return os.stat(self.path).st_size

    def since(self, offset):
        with open(self.path, "rb") as file:
            file.seek(offset)
            return file.read().decode("utf-8", "replace")

    def wait_for(self, pattern, offset=0, deadline=None):
        """Wait until a line after `offset` matches the compiled `pattern`; return the match."""
        return wait_until(
            lambda: pattern.search(self.since(offset)),
            lambda: f"{pattern.pattern!r} in the log, which is:\n{self.since(offset)}",
            deadline,
            [self.watch],
        )

    def close(self):
        self.watch.close()
