# SPDX-License-Identifier: MIT
"""What lsof shows of a restart of the demo: before, while both generations are there, after (docs/lsof.md)."""

import os
import subprocess

from server import BUILD
from waiting import wait_until

HOTSTART = os.path.join(BUILD, "hotstart")


def listeners(*pids):
    """pid -> {descriptor: socket inode} of the listeners, as `hotstart lsof` has them."""
    done = subprocess.run(
        [HOTSTART, "lsof", "-nP", "-a", "-iTCP", "-sTCP:LISTEN", "-Fpfd",
         "-p", ",".join(str(pid) for pid in pids)],
        capture_output=True, text=True, check=False,
    )
    found, pid, number = {}, None, None
    for line in done.stdout.splitlines():
        field, value = line[0], line[1:]
        if field == "p":
            pid = int(value)
            found[pid] = {}
        elif field == "f":
            number = int(value)
        else:
            found[pid][number] = value
    return found


def test_the_listener_is_one_socket_before_during_and_after(household, demo):
    server = demo("--probation", 30)
    old = server.current.pid
    before = listeners(old)
    inode = set(before[old].values())
    assert len(inode) == 1

    new = server.restart().pid
    during = wait_until(
        lambda: (found := listeners(old, new)) and len(found) == 2 and found, "both hold a listener"
    )
    assert set(during[old].values()) == set(during[new].values()) == inode
    assert min(during[new]) == 3

    server.first.kill()  # rather than wait for the end of its probation
    server.first.wait_exit()
    assert listeners(old, new) == {new: during[new]}
