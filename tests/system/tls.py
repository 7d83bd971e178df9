# SPDX-License-Identifier: MIT
"""Certificates, clients and load for the tests of TLS."""

import os
import ssl
import subprocess
import threading

from server import Client, bound_address
from waiting import Deadline, wait_until


class Pair:
    """A self-signed certificate and its key, in PEM files."""

    def __init__(self, directory, name, kind="ec", subject=None):
        self.name = name
        self.crt = os.path.join(directory, f"{name}-{kind}.crt")
        self.key = os.path.join(directory, f"{name}-{kind}.key")
        how = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["rsa:2048"]
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-days", "30", "-subj", subject or f"/CN={name}",
             "-addext", f"subjectAltName=DNS:{name}", "-keyout", self.key, "-out", self.crt,
             "-newkey", *how], check=True, stdin=subprocess.DEVNULL, capture_output=True)

    @property
    def options(self):
        return ["--tls", self.crt, self.key]


def trusting(*pairs, version=None, client=None):
    """A client's side: trusts these certificates and no others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for pair in pairs:
        context.load_verify_locations(pair.crt)
    if version:
        context.minimum_version = context.maximum_version = version
    if client:
        context.load_cert_chain(client.crt, client.key)
    return context


class TlsClient(Client):
    """One TLS connection. A missing end-of-session alert is an error, as everything unexpected is."""

    def __init__(self, address, context, name, session=None, timeout=None):
        super().__init__(address, timeout)
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session,
                                              suppress_ragged_eofs=False)
        except OSError:
            self.socket.close()
            raise


def both_addresses(server):
    """The first listener of a demo is the one with TLS, the second the plain one, which the tests'
    own questions go to. Returns the first's address."""
    def both():
        rows = server.first.listeners()
        return rows if len(rows) > 1 else None

    rows = wait_until(both, "it listens at both", None, [server.log.watch, server.first])
    server.address = bound_address(server.first, rows[1])
    assert server.get("/test").status == 200
    return bound_address(server.first, rows[0])


class TlsLoad:
    """Clients that ask without pause; each failure is kept. Every answer names its generation."""

    def __init__(self, address, context, name, keep_alive, connecting):
        self.address, self.context, self.name = address, context, name
        self.failures, self.generations = [], {}
        self.stop = threading.Event()
        self.changed = threading.Condition()
        self.threads = [threading.Thread(target=self.run, args=(True,)) for _ in range(keep_alive)]
        self.threads += [threading.Thread(target=self.run, args=(False,)) for _ in range(connecting)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def note(self, answer):
        with self.changed:
            assert answer.status == 200 and answer.body == b"test 22222"
            number = answer.generation
            self.generations[number] = self.generations.get(number, 0) + 1
            self.changed.notify_all()

    def run(self, keep_alive):
        while not self.stop.is_set():
            try:
                with TlsClient(self.address, self.context, self.name) as client:
                    self.converse(client, keep_alive)
            except (OSError, AssertionError, ValueError) as error:
                self.failures.append(repr(error))

    def converse(self, client, keep_alive):
        while not self.stop.is_set():
            answer = client.get("/test", () if keep_alive else ("Connection: close",))
            self.note(answer)
            if answer.headers.get("Connection") == "close":
                assert client.socket.recv(1) == b"", "more than was announced"
                return

    def await_generation(self, number):
        """Wait until it has answered."""
        deadline = Deadline()
        with self.changed:
            self.changed.wait_for(lambda: number in self.generations, deadline.left())
            assert number in self.generations, (number, self.generations, self.failures[:5])
