# SPDX-License-Identifier: MIT
"""Many restarts under TLS and HTTP/2, one of them with a client of others. Label heavy."""

import re
import shutil
import subprocess

import pytest

from tls import TlsLoad, trusting


def test_a_hundred_restarts_under_tls_load_fail_no_request(secure, pairs):
    server = secure()
    with TlsLoad(server.tls, trusting(pairs["one.test"]), "one.test", 6, 2) as load:
        for generation in range(2, 102):
            server.restart()
            load.await_generation(generation)
            server.retire_predecessors()
    assert load.failures == []
    assert set(load.generations) == set(range(1, 102))


class Counted:
    """Requests of all generations by status, as the server counts them, and how many were the test's own. With
    one loop a request is counted before the next is read."""

    def __init__(self, server):
        self.server, self.asked, self.get = server, 0, server.get
        server.get = self.ask

    def ask(self, *args, **kwargs):
        self.asked += 1
        return self.get(*args, **kwargs)

    def look(self):
        """(by status; 499 is one whose client had gone, the test's own)"""
        text = self.server.get("/metrics").body.decode()
        return {int(code): int(n) for code, n in re.findall(
            r'^hotstart_http_requests_total{code="(\d+)"} (\d+)', text, re.MULTILINE)}, self.asked


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_every_stream_that_h2load_opens_completes(secure, scheme):
    """h2load makes no second connection when it is told to go, and fails what it had not opened by then.
    What became of the streams that it had opened is asked of the server as well: each was answered, and
    each answer has arrived."""
    if not shutil.which("h2load"):
        pytest.skip("no h2load here (nghttp2-client)")
    server = secure("--threads", 1)
    counted = Counted(server)
    address = server.tls if scheme == "https" else server.address
    cut_short = 0
    for _ in range(20):
        before, asked = counted.look()
        load = subprocess.Popen(
            ["h2load", "-n", "400000", "-c", "4", "-m", "100", "%s://%s:%d/test" %
             (scheme, *address[1])], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in load.stdout:
            if line.startswith("progress: 10%"):
                break
        server.restart()
        text = load.communicate()[0]
        server.retire_predecessors()
        succeeded = int(re.search(r"(\d+) succeeded", text).group(1))
        cut_short += succeeded < 400000
        after, asked_now = counted.look()
        assert set(after) == {200}, f"{after}: not all were answered\n{text}"
        assert after[200] - before[200] == succeeded + asked_now - asked, text
    assert cut_short, "no restart came while it was at work"
