# SPDX-License-Identifier: MIT
"""Clients that others wrote, over a restart with the usual probation: curl, wrk, h2load, httpx, Node, Chromium;
HTTP/1.1 and HTTP/2 where they can, with and without TLS. Label heavy.

Each asks without pause before, while and after generations change, and is right about every answer. What a
client does by itself when a connection is closed under a request is said at its test: where that is nothing,
each request that is lost shows.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from clients.browser import Browser
from tls import Pair, both_addresses
from waiting import Deadline

CLIENTS = os.path.join(os.path.dirname(__file__), "clients")
NAME = "localhost"


def program(name, package):
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed (package {package}: tools/deps heavy)")
    return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return Pair(str(tmp_path_factory.mktemp("certificates")), NAME)


@pytest.fixture
def served(demo, pair):
    """Start a demo with and without TLS, with the usual two seconds of probation."""

    def start(*options):
        server = demo(*pair.options, "--listen-plain", "tcp://127.0.0.1:0", "--probation", 2, "--threads", 1,
                      *options, ready=False)
        server.tls = both_addresses(server)
        server.url = f"http://127.0.0.1:{server.address[1][1]}"
        server.tls_url = f"https://{NAME}:{server.tls[1][1]}"
        return server

    return start


class Lines:
    """What a program prints, awaited line by line."""

    def __init__(self, argv, **kwargs):
        self.lines, self.ended = [], False
        self.changed = threading.Condition()
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        self.finish()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, found):
        """Wait until found(lines) is true."""
        deadline = Deadline()
        with self.changed:
            self.changed.wait_for(lambda: found(self.lines) or self.ended, deadline.left())
            assert found(self.lines), "\n".join(self.lines)

    def finish(self):
        """Everything it has printed, once it has ended."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        self.thread.join()
        self.process.wait()
        self.process.stdout.close()
        return "\n".join(self.lines)


def restart(server):
    """One generation to the next: yields when the new one answers, and when the old one is gone."""
    old = server.current
    server.restart()
    yield
    server.await_draining(old)
    server.retire_predecessors()
    yield


def ask_over_a_restart(server, argv, lanes):
    """A program as clients/asker.py: the summaries of its lanes."""
    with Lines(argv, stdin=subprocess.PIPE) as asker:
        def await_generation(number):
            asker.wait_for(lambda lines: {row["lane"] for row in map(json.loads, lines)
                                          if row.get("generation") == number}.issuperset(lanes))

        await_generation(1)
        for _ in restart(server):
            pass
        await_generation(2)
        text = asker.finish()
    summary = json.loads(asker.lines[-1])["summary"]
    assert set(summary) == set(lanes), text
    return summary


LANES = [f"{scheme} {version}" for scheme in ("http", "https") for version in ("HTTP/1.1", "HTTP/2")]


def expect_no_failure(summary):
    for lane, seen in summary.items():
        print(lane, seen)
    for lane, seen in summary.items():
        assert seen["failures"] == [], lane
        assert set(seen["generations"]) == {"1", "2"}, lane
        assert seen.get("dismissed", 0) <= 1, "it asks one thing at a time, and was told to go once"


# -- curl: asks again, on a new connection, if an old one was closed before anything of an answer came --


class Curl(threading.Thread):
    """One curl after another, each with many requests on as few connections as it chooses."""

    FORMAT = "%{http_code} %{http_version} %{exitcode} %{size_download} %header{x-generation}\n"

    def __init__(self, url, certificate, version, *options, alone=False):
        super().__init__()
        # Without TLS curl 7.88 can use an HTTP/2 connection once only, whoever the server is.
        paths = ["/blob?bytes=20000"] if alone else ["/test?[1-100]", "/blob?bytes=20000&n=[1-100]"]
        self.argv = ["curl", "-sS", "--no-progress-meter", "-4", "--cacert", certificate, *options, "-w", self.FORMAT]
        for path in paths:
            self.argv += ["-o", os.devnull, url + path]
        self.version, self.rows, self.wrong = version, {}, []
        self.stop = threading.Event()
        self.changed = threading.Condition()

    def run(self):
        last = False
        while not last:
            last = self.stop.is_set()
            with subprocess.Popen(self.argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as curl:
                for line in curl.stdout:
                    self.note(line.rstrip("\n"))

    def note(self, line):
        words = re.fullmatch(r"200 (\S+) 0 (10|20000) (\d+)", line)
        if not words or words.group(1) != self.version:
            self.wrong.append(line)
            return
        with self.changed:
            generation = int(words.group(3))
            self.rows[generation] = self.rows.get(generation, 0) + 1
            self.changed.notify_all()

    def await_generation(self, number):
        deadline = Deadline()
        with self.changed:
            self.changed.wait_for(lambda: number in self.rows, deadline.left())
            assert number in self.rows, (self.argv, self.rows, self.wrong[:5])


def test_curl(served, pair):
    program("curl", "curl")
    server = served()
    lanes = [Curl(server.url, pair.crt, "1.1", "--http1.1"),
             Curl(server.url, pair.crt, "1.1", "--http2"),  # an upgrade that is not taken up
             Curl(server.url, pair.crt, "2", "--http2-prior-knowledge", alone=True),
             Curl(server.tls_url, pair.crt, "1.1", "--http1.1"),
             Curl(server.tls_url, pair.crt, "2", "--http2"),
             Curl(server.tls_url, pair.crt, "2", "--http2", "--parallel", "--parallel-max", "20")]
    for lane in lanes:
        lane.start()
    try:
        for lane in lanes:
            lane.await_generation(1)
        for _ in restart(server):
            for lane in lanes:
                lane.await_generation(2)
    finally:
        for lane in lanes:
            lane.stop.set()
        for lane in lanes:
            lane.join()
    for lane in lanes:
        assert lane.wrong == [], (lane.wrong[:5], lane.argv)
        assert set(lane.rows) == {1, 2}, lane.argv


# -- wrk: asks nothing again; connects again after an answer that announces the end of its connection --


def test_wrk(served, pair):
    program("wrk", "wrk")
    server = served()
    loads = [Lines([shutil.which("wrk"), "-t1", "-c16", "-d600s", "-s", os.path.join(CLIENTS, "asker.lua"), url + "/test"])
             for url in (server.url, server.tls_url)]
    texts = []
    try:
        for load in loads:
            load.wait_for(lambda lines: "generation 1" in lines)
        for _ in restart(server):
            for load in loads:
                load.wait_for(lambda lines: "generation 2" in lines)
    finally:
        for load in loads:
            load.process.send_signal(signal.SIGINT)
            texts.append(load.finish())
    for text in texts:
        assert "requests in" in text and "generation 2" in text, text
        assert not re.search(r"wrong|Socket errors|Non-2xx|generation 3", text), text


# -- h2load: with HTTP/1.1 it connects again after the last answer of a connection; with HTTP/2 it does not, and
#    counts what it had not sent by then as failed --


def h2load(url, requests, *options):
    return Lines([program("h2load", "nghttp2-client"), "-n", str(requests), "-c", "4", *options, url + "/test"])


def h2load_figures(text):
    figures = {name: int(number) for number, name in re.findall(
        r"(\d+) (started|done|succeeded|failed|errored|timeout|[2-5]xx)", text)}
    assert {"succeeded", "2xx", "5xx"} <= set(figures), text
    return figures


@pytest.mark.parametrize("options", [("--h1",), ("-m", "50")], ids=["HTTP/1.1", "HTTP/2"])
def test_h2load(served, options):
    server = served()
    urls = (server.url, server.tls_url)
    loads = [h2load(url, 100000000, *options) for url in urls]
    one = options[0] == "--h1"
    try:
        for load in loads:
            load.wait_for(lambda lines: any("pplication protocol" in line for line in lines))
        for _ in restart(server):
            pass
        ended = [load.ended for load in loads]
    finally:
        for load in loads:
            if one:
                load.process.kill()
        texts = [load.finish() for load in loads]
    for text, end in zip(texts, ended):
        if one:
            assert not end, f"it gave up\n{text}"
        else:
            figures = h2load_figures(text)
            # What each connection had in its queue as it was told to go was never sent; that every stream
            # which was got its answer is asked of the server as well in heavy_tls_load.py.
            assert figures["succeeded"] == figures["2xx"] > 0, text
            assert figures["started"] - figures["succeeded"] <= 4 * 50, text
            assert figures["3xx"] == figures["4xx"] == figures["5xx"] == figures["timeout"] == 0, text
    for url in urls:
        with h2load(url, 1000, *options) as load:
            text = load.finish()
        assert h2load_figures(text)["succeeded"] == 1000, text


# -- httpx and Node: see the programs --


def test_httpx(served, pair):
    done = subprocess.run([sys.executable, "-c", "import httpx, h2"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("python3-httpx and python3-h2 are not installed (tools/deps heavy)")
    server = served()
    expect_no_failure(ask_over_a_restart(
        server, [sys.executable, os.path.join(CLIENTS, "asker.py"), server.url, server.tls_url, pair.crt], LANES))


def test_node(served, pair):
    node = program("node", "nodejs")
    server = served()
    version = int(subprocess.run([node, "--version"], check=True, capture_output=True, text=True)
                  .stdout.lstrip("v").split(".")[0])
    if version < 18:
        pytest.skip(f"node {version} has no fetch yet: 18 or newer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODE_EXTRA_CA_CERTS", pair.crt)
        expect_no_failure(ask_over_a_restart(
            server, [node, "--dns-result-order=ipv4first", os.path.join(CLIENTS, "asker.mjs"), server.url,
                     server.tls_url, pair.crt], LANES))


# -- Chromium: asks again, on a new connection, if an old one was closed before anything of an answer came --

PAGE = """
(() => {
    const blob = Uint8Array.from({ length: 20000 }, (_, i) => 65 + i % 23);
    const text = new TextEncoder().encode('test 22222');
    const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
    const seen = window.seen = { answers: 0, generations: {}, failures: [], protocols: {} };
    const waiting = [];
    const questions = [['GET', '/test', undefined, text], ['GET', '/blob?bytes=20000', undefined, blob],
                       ['POST', '/echo', blob, new TextEncoder().encode('DIGEST')]];
    const ask = async ([method, path, body, expected]) => {
        const answer = await fetch(path, { method, body, cache: 'no-store' });
        const bytes = new Uint8Array(await answer.arrayBuffer());
        if (answer.status !== 200 || !same(bytes, expected))
            throw new Error(`${method} ${path}: ${answer.status}, ${bytes.length} bytes`);
        const generation = answer.headers.get('x-generation');
        seen.answers++;
        seen.generations[generation] = (seen.generations[generation] ?? 0) + 1;
        waiting.filter((one) => seen.generations[one.generation]).forEach((one) => one.resolve());
    };
    const run = async () => {
        for (let last = false; !last;) {
            last = window.stopping;
            performance.clearResourceTimings();
            for (const question of questions)
                await ask(question).catch((error) => seen.failures.push(String(error)));
            for (const entry of performance.getEntriesByType('resource'))
                seen.protocols[entry.nextHopProtocol] = true;
        }
    };
    window.has = (generation) => new Promise((resolve) => {
        seen.generations[generation] ? resolve() : waiting.push({ generation, resolve });
    });
    const done = Promise.all([run(), run(), run()]);
    window.finish = async () => { window.stopping = true; await done; return seen; };
})()
""".replace("DIGEST", f"20000 {hashlib.sha256(bytes(65 + i % 23 for i in range(20000))).hexdigest()}\\n")


def test_chromium(served, pair, tmp_path_factory):
    chromium = program("chromium", "chromium")
    server, old_fashioned = served(), served("--http1")
    tabs = {}
    with Browser(chromium, str(tmp_path_factory.mktemp("browser")), pair.crt) as browser:
        for url, protocol in ((server.url, "http/1.1"), (server.tls_url, "h2"), (old_fashioned.tls_url, "http/1.1")):
            tabs[browser.open(url + "/test")] = protocol
        for tab in tabs:
            browser.run(tab, PAGE)
            browser.run(tab, "has(1)")
        for _ in zip(restart(server), restart(old_fashioned)):
            for tab in tabs:
                browser.run(tab, "has(2)")
        for tab, protocol in tabs.items():
            seen = browser.run(tab, "finish()")
            print(protocol, seen)
            assert seen["failures"] == [] and set(seen["generations"]) == {"1", "2"}
            assert list(seen["protocols"]) == [protocol]
        assert [error for error in browser.errors if "/favicon.ico" not in error] == []
        # It would have been noticed.
        browser.run(next(iter(tabs)), "console.error('seen')")
        assert "seen" in browser.errors[-1]
