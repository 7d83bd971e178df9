# SPDX-License-Identifier: MIT
"""A process as the kernel shows it: pidfd, /proc, and what its descriptors really are.

The test process is a subreaper: whatever a server starts and leaves behind becomes its child, so
nothing escapes, and every exit status can be learned, that of a process whose parent is long gone
included.
"""

import ctypes
import errno
import os
import re
import select
import signal
import socket
import subprocess

from waiting import Deadline, Late, checked, libc, wait_until

PR_SET_CHILD_SUBREAPER = 36
SYS_PIDFD_GETFD = 438

FIRST_FD = 3
N_LOW = 8

# How a control socket is named where nobody chose a path for it.
CONTROL = re.compile(r"/hotstart(-[0-9]+)?/[0-9]+$")

# How a look at a descriptor fails that was closed meanwhile, or whose process has ended.
GONE = {errno.ENOENT, errno.EBADF, errno.ESRCH}

_statuses = {}  # pid -> waitid(2)'s result, of everything that was reaped here


def become_subreaper():
    checked(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def reap():
    """Reap every child that has ended; remember how."""
    while True:
        try:
            result = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            return
        if result is None:
            return
        _statuses[result.si_pid] = result


def stat_of(pid):
    """State and parent from /proc/PID/stat, or None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rsplit(b")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0].decode(), int(fields[1])


def parents():
    """pid -> (state, parent) for every process there is."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = stat_of(int(name))
            if stat:
                found[int(name)] = stat
    return found


def descendants(root=None):
    """pid -> state of every descendant of `root` (default: this process)."""
    everything = parents()
    found = {}
    wanted = {root or os.getpid()}
    while wanted:
        wanted = {p for p, (_, parent) in everything.items() if parent in wanted and p not in found}
        found.update((p, everything[p][0]) for p in wanted)
    return found


def describe(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            line = file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        line = "gone"
    return f"{pid} ({(stat_of(pid) or '?')[0]}) {line}"


def inheriting(*fds, **variables):
    """
    subprocess.Popen's arguments for a program that gets `fds` as 3, 4, … (None: nothing there) and
    these environment variables; the value "PID" stands for its own pid.

    The numbers from 3 on are kept occupied in this process (occupy_low_numbers), so that nothing of
    subprocess' own is in their place in the child.
    """

    def place():
        copies = [None if fd is None else os.dup(fd) for fd in fds]
        for number, copy in enumerate(copies, FIRST_FD):
            if copy is None:
                os.close(number)
            else:
                os.dup2(copy, number)
        for name, value in variables.items():
            os.environ[name] = str(os.getpid()) if value == "PID" else value

    numbers = range(FIRST_FD, FIRST_FD + len(fds))
    assert len(fds) <= N_LOW
    return {"preexec_fn": place, "pass_fds": tuple(numbers)}


def occupy_low_numbers():
    """Keep descriptors 3 to 10 in use here."""
    while (fd := os.open("/dev/null", os.O_RDWR)) < FIRST_FD + N_LOW:
        pass
    os.close(fd)


def is_control_socket(copy):
    """Is it the one that `hotstart` talks to, rather than one that the server serves on?"""
    return copy.family == socket.AF_UNIX and CONTROL.search(str(copy.getsockname())) is not None


class Descriptor:
    """One row of a descriptor table."""

    def __init__(self, number, kind, access, cloexec, target):
        self.number = number
        self.kind = kind
        self.access = access
        self.cloexec = cloexec
        self.target = target

    def key(self):
        return (self.number, self.kind, self.access, self.cloexec)

    def is_of_the_moment(self):
        """A connection, a handle of another generation, or a look into the control sockets' directory."""
        return self.kind.startswith("socket") and not self.kind.endswith(("listening", "control")) or (
            self.kind == "anon_inode:[pidfd]" or self.kind.endswith("/hotstart")
        )

    def __repr__(self):
        flag = " cloexec" if self.cloexec else ""
        return f"{self.number}: {self.kind} {self.access}{flag} -> {self.target}"


def keys(table):
    return [row.key() for row in table]


class Process:
    """A process, by pidfd: never mistaken for a later one with the same number."""

    def __init__(self, pid):
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.status = None

    @classmethod
    def start(cls, argv, **kwargs):
        """Start a program (subprocess.Popen's arguments) that belongs to the caller."""
        popen = subprocess.Popen(argv, **kwargs)
        popen.returncode = 0  # its exit is waited for here, not there
        process = cls(popen.pid)
        process.stdout = popen.stdout
        process.stdin = popen.stdin
        return process

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def fileno(self):
        return self.pidfd

    def close(self):
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

    def has_exited(self):
        poller = select.poll()
        poller.register(self.pidfd, select.POLLIN)
        return bool(poller.poll(0))

    def signal(self, number):
        signal.pidfd_send_signal(self.pidfd, number)

    def kill(self):
        try:
            self.signal(signal.SIGKILL)
        except ProcessLookupError:
            pass

    def wait_exit(self, deadline=None):
        """
        Wait until it has ended and return its exit status, negative for a signal, or None when its
        parent was not this process and has reaped it.
        """
        deadline = deadline or Deadline()
        poller = select.poll()
        poller.register(self.pidfd, select.POLLIN)
        if not poller.poll(deadline.left() * 1000):
            raise Late(f"still there: {describe(self.pid)}")
        reap()
        result = _statuses.get(self.pid)
        if result is None:
            return None
        if result.si_code == os.CLD_EXITED:
            return result.si_status
        return -result.si_status

    def freeze(self):
        self.signal(signal.SIGSTOP)
        wait_until(
            lambda: all(state in "tTZX" for state in self.thread_states()),
            f"{self.pid} stands still",
        )

    def thaw(self):
        self.signal(signal.SIGCONT)

    def _read(self, name):
        with open(f"/proc/{self.pid}/{name}", "rb") as file:
            return file.read()

    def exe(self):
        return os.readlink(f"/proc/{self.pid}/exe")

    def cwd(self):
        return os.readlink(f"/proc/{self.pid}/cwd")

    def argv(self):
        return [word.decode() for word in self._read("cmdline").split(b"\0")[:-1]]

    def environ(self):
        """The environment as the kernel got it at exec, in a dict; a name twice is an error."""
        found = {}
        for entry in self._read("environ").split(b"\0"):
            name, equals, value = entry.decode("utf-8", "surrogateescape").partition("=")
            if equals:
                assert name not in found, f"{name} is twice in the environment of {self.pid}"
                found[name] = value
        return found

    def parent(self):
        return stat_of(self.pid)[1]

    def is_zombie(self):
        stat = stat_of(self.pid)
        return stat is not None and stat[0] == "Z"

    def children(self):
        return [pid for pid, (_, parent) in parents().items() if parent == self.pid]

    def threads(self):
        return sorted(int(name) for name in os.listdir(f"/proc/{self.pid}/task"))

    def thread_states(self):
        return [(stat_of(f"{self.pid}/task/{tid}") or "X")[0] for tid in self.threads()]

    def status_field(self, name):
        """A line of /proc/PID/status, such as SigBlk."""
        found = re.search(rf"^{name}:\s*(.*)$", self._read("status").decode(), re.MULTILINE)
        return found.group(1)

    def fd_numbers(self):
        return sorted(int(name) for name in os.listdir(f"/proc/{self.pid}/fd"))

    def borrow(self, number):
        """A copy of one of its descriptors, the caller's."""
        return checked(libc.syscall(SYS_PIDFD_GETFD, self.pidfd, ctypes.c_int(number), 0))

    def flags(self, number):
        """Its open flags, O_CLOEXEC among them."""
        info = self._read(f"fdinfo/{number}").decode()
        return int(re.search(r"^flags:\s*([0-7]+)", info, re.MULTILINE).group(1), 8)

    def _kind(self, number, target):
        if not target.startswith("socket:"):
            return re.sub(r":\[\d+\]$", "", target)
        with socket.socket(fileno=self.borrow(number)) as copy:
            listening = copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            name = f"socket {copy.family.name} {copy.type.name}"
            if listening and is_control_socket(copy):
                return name + " control"
            return name + (" listening" if listening else "")

    def descriptor(self, number):
        target = os.readlink(f"/proc/{self.pid}/fd/{number}")
        flags = self.flags(number)
        access = {os.O_RDONLY: "r", os.O_WRONLY: "w", os.O_RDWR: "u"}[flags & os.O_ACCMODE]
        return Descriptor(
            number, self._kind(number, target), access, bool(flags & os.O_CLOEXEC), target
        )

    def fd_table(self):
        """Its descriptor table; a descriptor that goes away meanwhile is left out."""
        table = []
        for number in self.fd_numbers():
            try:
                table.append(self.descriptor(number))
            except OSError as error:
                if error.errno not in GONE:
                    raise
        return table

    def table_at_rest(self):
        """Its descriptor table once answered requests and dead generations are forgotten."""
        wait_until(
            lambda: not any(row.is_of_the_moment() for row in self.fd_table()),
            lambda: f"nothing of the moment is left: {self.fd_table()}",
        )
        return self.fd_table()

    def listeners(self):
        return [row for row in self.fd_table() if row.kind.endswith("listening")]

    def polled_inodes(self):
        """The inodes of everything that its epoll descriptors watch."""
        found = set()
        for number in self.fd_numbers():
            try:
                info = self._read(f"fdinfo/{number}").decode()
            except OSError:
                continue
            for line in info.splitlines():
                if line.startswith("tfd:"):
                    found.add(int(re.search(r"\bino:([0-9a-f]+)", line).group(1), 16))
        return found

    def __repr__(self):
        return f"<Process {describe(self.pid)}>"
