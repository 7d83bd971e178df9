# SPDX-License-Identifier: MIT
"""Groups that change under clients that are far away: handshakes take their time, as on a network."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from process import Process
from test_listeners import release
from waiting import wait_until

FAR = os.path.join(os.path.dirname(__file__), "far.py")


class Far:
    """What release() wants to know of a server."""

    def __init__(self, pid):
        self.generation = 1
        self.current = Process(pid)


def test_a_group_shrinks_and_grows_under_far_clients(household, releases):
    log = household.log("far.log")
    command = [releases.current, "--listen", "tcp://10.9.0.1:8000?reuseport=4"]
    command += ["--threads", "2", "--probation", "0"]
    far = household.start(
        [sys.executable, FAR, *command], log, stdin=subprocess.PIPE
    )
    wait_until(
        lambda: far.has_exited() or re.search(r"^\d+$", log.text(), re.MULTILINE),
        lambda: f"it serves\n{log.text()}", None, [log.watch, far],
    )
    if far.has_exited():
        assert far.wait_exit() == 77, log.text()
        pytest.skip(log.text().strip())
    server = Far(int(re.search(r"^(\d+)$", log.text(), re.MULTILINE).group(1)))
    for number in (2, 8, 3, 1, 4, 2):
        release(releases, server, f"tcp://10.9.0.1:8000?reuseport={number}")
        server.current.signal(signal.SIGUSR2)
        server.generation += 1
        found = log.wait_for(
            re.compile(rf"^\[pid (\d+)\] serving on .* \(generation {server.generation}\)",
                       re.MULTILINE)
        )
        old, server.current = server.current, Process(int(found.group(1)))
        old.wait_exit()
        old.close()
    far.stdin.close()
    assert far.wait_exit() == 0, log.text()
    results = json.loads(log.text().splitlines()[-1])
    server.current.signal(signal.SIGTERM)
    server.current.wait_exit()
    server.current.close()
    assert set(results) <= {str(number) for number in range(1, 8)}, results
    assert sum(results.values()) > 0
