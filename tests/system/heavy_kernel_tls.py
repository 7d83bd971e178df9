# SPDX-License-Identifier: MIT
"""Connections with TLS that move to the next generation. They need TLS of the kernel: where this one has none they
are skipped here, and tests/qemu runs them in a machine whose kernel has. Label heavy."""

import errno
import os
import re
import signal
import socket
import ssl
import subprocess

import pytest

from command import hotstart
from server import BUILD, bound_address
from tls import TlsClient, trusting
from waiting import wait_until

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
ANSWER = os.path.join(BUILD, "tests", "answer")


def kernel_has_tls():
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.IPPROTO_TCP, 31, b"tls")  # TCP_ULP
        except OSError as error:
            return error.errno == errno.ENOTCONN
    return True


pytestmark = pytest.mark.skipif(not kernel_has_tls(), reason="this kernel has no TLS")


class Crowd:
    """Keep-alive clients that never connect again: what fails, fails the test."""

    def __init__(self, server, pairs, counts):
        self.clients = [TlsClient(server.tls, trusting(pairs["one.test"], version=version), "one.test")
                        for version, count in counts.items() for _ in range(count)]
        self.answers = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.close()

    def ask(self):
        """All at once, then all answers. Returns the generations that have answered."""
        generations = set()
        for client in self.clients:
            client.request("/test")
        for client in self.clients:
            answer = client.answer()
            assert answer.status == 200 and answer.body == b"test 22222"
            assert answer.headers.get("Connection") != "close"
            generations.add(answer.generation)
        self.answers += len(self.clients)
        return generations

    def ask_until(self, generation):
        """Until nobody else answers. In between it is the one before, or this one."""
        while (generations := self.ask()) != {generation}:
            assert generations <= {generation - 1, generation}, generations


def row_of(target, process):
    """What `hotstart status` tells of one generation."""
    done = hotstart("status", target, "--json")
    rows = done.json()["generations"] if done.status == 0 else []
    return next((row for row in rows if row["pid"] == process.pid), {})


def pinned(target, process):
    row = row_of(target, process)
    return {reason: n for reason, n in row.get("handover", {}).get("pinned", {}).items() if n}


def test_clients_of_both_versions_go_through_ten_restarts(secure, pairs):
    server = secure()
    with Crowd(server, pairs, {V12: 100, V13: 100}) as crowd:
        crowd.ask()
        for generation in range(2, 12):
            server.current.signal(signal.SIGUSR2)
            crowd.ask_until(generation)
            server.await_generation(generation)
            server.retire_predecessors()
        assert crowd.ask() == {11}
        assert row_of(server.current.pid, server.current)["figures"]["kernel-tls"] == 1
        assert pinned(server.current.pid, server.current) == {}
    assert "figures: kernel-tls 1" in hotstart("status", server.current.pid).out


@pytest.mark.parametrize("version, ciphers", [
    (V12, "ECDHE-ECDSA-AES128-GCM-SHA256"), (V12, "ECDHE-ECDSA-AES256-GCM-SHA384"),
    (V12, "ECDHE-ECDSA-CHACHA20-POLY1305"), (V13, None)])
def test_bodies_of_all_sizes_before_and_after(secure, pairs, version, ciphers):
    server = secure()
    context = trusting(pairs["one.test"], version=version)
    if ciphers:
        context.set_ciphers(ciphers)
    with TlsClient(server.tls, context, "one.test") as client:
        for generation in range(1, 4):
            for size in (1, 16384, 1000003):
                answer = client.get(f"/blob?bytes={size}")
                assert len(answer.body) == size and answer.body[:1] == b"A"
                client.request("/echo", "POST", os.urandom(size))
                assert client.answer().body.split()[0] == str(size).encode()
            assert answer.generation == generation
            if generation < 3:
                server.restart()
                server.retire_predecessors()
        client.request("/blob?bytes=3000000", headers=("Connection: close",))
        assert len(client.answer().body) == 3000000
        assert client.socket.recv(1) == b""


def test_the_facts_of_the_session_move_with_it(household, pairs):
    log = household.log("tlsd.log")
    pair = pairs["one.test"]
    process = household.start([os.path.join(BUILD, "tests", "tlsd"), "--optional", pairs["client.test"].crt,
                               "127.0.0.1:0", pair.crt, pair.key], log)
    wait_until(process.listeners, "it listens", None, [log.watch, process])
    address = bound_address(process, process.listeners()[0])
    with TlsClient(address, trusting(pair, version=V13, client=pairs["client.test"]), "one.test") as client:
        before = client.get("/tls").body
        assert b"one.test CN=client.test" in before
        process.signal(signal.SIGUSR2)
        log.wait_for(re.compile(r"generation 2"))
        log.wait_for(re.compile(r"exit"))
        answer = client.get("/tls")
        assert answer.body == before
    household.abandon()


def ask(client):
    answer = client.get("/test")
    assert answer.status == 200 and answer.body == b"test 22222"
    return answer


@pytest.mark.parametrize("version", [V12, V13])
def test_who_was_refused_goes_on_in_the_old_generation(secure, pairs, releases, version):
    releases.shell("release-2", f"exec {ANSWER} http=tcp://127.0.0.1:0 http-2=tcp://127.0.0.1:0")
    server = secure(program=releases.current)
    with TlsClient(server.tls, trusting(pairs["one.test"], version=version), "one.test") as client:
        ask(client)
        releases.switch("release-2")
        server.first.signal(signal.SIGUSR2)
        server.await_draining(server.first)
        successor = int(server.log.wait_for(re.compile(r"draining: pid (\d+)"))[1])
        while (answer := client.get("/metrics")).headers.get("Connection") != "close":
            assert answer.pid == server.first.pid
        assert answer.pid == server.first.pid
        assert b'pinned{reason="refused"} 1' in answer.body, answer.body
        assert client.socket.recv(1) == b""
    assert server.first.wait_exit() == 0
    server.stopped = True
    os.kill(successor, signal.SIGTERM)


class KeyUpdater:
    """openssl s_client, which can change its keys when it is told to."""

    def __init__(self, address):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", "%s:%d" % address[1], "-servername", "one.test", "-tls1_3"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)

    def read_until(self, end):
        text = b""
        while not text.endswith(end):
            byte = self.process.stdout.read(1)
            assert byte, f"it ended: {text!r} {self.process.stderr.read()!r}"
            text += byte
        return text

    def ask(self):
        self.process.stdin.write(b"GET /generation HTTP/1.1\r\nHost: one.test\r\n\r\n")
        return int(re.search(rb'"generation":(\d+)', self.read_until(b"}"))[1])

    def update_keys(self, letter):
        """By k, or by K, which asks the server to do the same."""
        self.process.stdin.write(letter + b"\n")
        text = b""
        while b"KEYUPDATE" not in text:
            byte = self.process.stderr.read(1)
            assert byte, text
            text += byte

    def end(self):
        """Its exit status, when the server has ended it."""
        self.process.stdout.read()
        errors = self.process.stderr.read()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.wait(), errors


@pytest.mark.parametrize("letter", [b"k", b"K"])
def test_keys_that_change_before_a_restart_move_and_after_it_end_politely(secure, letter):
    server = secure()
    client = KeyUpdater(server.tls)
    assert client.ask() == 1
    client.update_keys(letter)
    assert client.ask() == 1
    client.update_keys(letter)
    server.restart()
    server.retire_predecessors()
    assert client.ask() == 2
    assert client.ask() == 2
    client.update_keys(letter)
    status, errors = client.end()
    assert status == 0, errors
    assert pinned(server.current.pid, server.current) == {"key-update": 1}


def test_a_release_that_dies_gives_them_back(secure, pairs):
    """Those that it has not touched; whoever it had answered is gone with it."""
    server = secure("--probation", 60)
    old = server.current
    with Crowd(server, pairs, {V12: 5, V13: 5}) as crowd:
        crowd.ask()
        successor = server.restart()
        wait_until(lambda: row_of(successor.pid, old)["handover"]["accepted"] == 10,
                   lambda: f"all have moved: {row_of(successor.pid, old)}")
        successor.signal(signal.SIGKILL)
        server.log.wait_for(re.compile("accepting again"))
        server.generation = 1
        assert crowd.ask() == {1}
        assert crowd.ask() == {1}
