# SPDX-License-Identifier: MIT
"""The memory of an overlap: what all processes of a server have together at its peak, beyond what they had."""

import statistics
import threading
import time


class Overlap:
    """Looks as often as it can, in a thread of its own, from `with` on."""

    def __init__(self, server):
        self.server = server
        self.steady = statistics.median(server.memory() for _ in range(5))
        self.peak, self.enough = 0, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.enough.set()
        self.thread.join()

    def look(self):
        while not self.enough.is_set():
            self.peak = max(self.peak, self.server.memory())
            time.sleep(0.0005)

    def bytes(self):
        return self.peak - self.steady
