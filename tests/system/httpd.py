# SPDX-License-Identifier: MIT
"""tests/httpd, a server with handlers that the demo has not, and what its clients need."""

import os
import re
import socket

from server import BUILD, Server
from waiting import wait_until

HTTPD = os.path.join(BUILD, "tests/httpd")


def start(household, *settings):
    """Start it: start(household, "pool=4", …)."""
    log = household.log(f"httpd-{len(household.servers)}.log")
    process = household.start([HTTPD, "127.0.0.1:0", *settings], log, executable=HTTPD)
    server = Server(process, log)
    household.servers.append(server)
    server.await_listening()
    return server


def head(path="/test", *fields, method="GET", version="HTTP/1.1"):
    return "\r\n".join([f"{method} {path} {version}", "Host: a", *fields, "", ""])


def statuses(data):
    return [int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def read_to_end(client):
    """Everything until the server's end of file. A reset fails the test."""
    data = b""
    while piece := client.socket.recv(65536):
        data += piece
    return data


def read_until(client, end):
    data = b""
    while not data.endswith(end):
        piece = client.socket.recv(65536)
        assert piece, data
        data += piece
    return data


def exchange(server, data):
    """Send, say that nothing more will come, and return all that is answered."""
    with server.connect() as client:
        client.send(data)
        client.socket.shutdown(socket.SHUT_WR)
        return read_to_end(client)


def go(server):
    """Give the word that handlers wait for."""
    with server.connect() as client:
        client.request("/go", method="POST", body=b"", headers=["Connection: close"])
        assert client.answer().status == 200


def await_inside(server, count):
    wait_until(lambda: server.get("/inside").body == str(count).encode(), f"{count} wait for the word")


def blob(size, at=0):
    pattern = bytes(ord("A") + (at + i) % 23 for i in range(23))
    return (pattern * (size // 23 + 1))[:size]


def chunked(body, piece, trailers=b""):
    out = b""
    for at in range(0, len(body), piece):
        part = body[at:at + piece]
        out += b"%x\r\n%s\r\n" % (len(part), part)
    return out + b"0\r\n" + trailers + b"\r\n"
