# SPDX-License-Identifier: MIT
"""far.py COMMAND...: run a server behind a wire of 20 ms a way, and clients at its other end.

Two network namespaces, each with a TUN interface, and a process that carries packets between them and
takes its time. The server runs in the first, as COMMAND with its standard error inherited; clients in the
second connect to 10.9.0.1:8000, ask and read, again and again. Prints what they got, as JSON, when standard
input ends. Exits with 77 where the machine does not allow it.
"""

import collections
import ctypes
import fcntl
import heapq
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
DELAY = 0.02
N_CLIENTS = 40
REQUEST = b"GET /generation HTTP/1.1\r\nHost: far\r\nConnection: close\r\n\r\n"

libc = ctypes.CDLL(None, use_errno=True)


def end_of_the_wire(address):
    """A network namespace with one interface. Returns the namespace and the interface."""
    if libc.unshare(CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "unshare")
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22s", b"tun0", IFF_TUN | IFF_NO_PI, b""))
    for command in (f"addr add {address}/24 dev tun0", "link set tun0 up", "link set lo up"):
        subprocess.run(["ip", *command.split()], check=True, capture_output=True)
    return os.open("/proc/self/ns/net", os.O_RDONLY), tun


def carry(here, there, parent):
    """Until our parent is gone."""
    other, under_way, number = {here: there, there: here}, [], 0
    while os.getppid() == parent:
        left = under_way[0][0] - time.monotonic() if under_way else 1
        for tun in select.select([here, there], [], [], max(0, left))[0]:
            number += 1
            packet = os.read(tun, 65536)
            heapq.heappush(under_way, (time.monotonic() + DELAY, number, other[tun], packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, tun, packet = heapq.heappop(under_way)
            os.write(tun, packet)


def ask():
    with socket.socket() as client:
        client.settimeout(60)
        client.connect(("10.9.0.1", 8000))
        client.sendall(REQUEST)
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
    found = re.search(rb'"generation":(\d+)', answer)
    return found.group(1).decode() if found else repr(answer)


def ask_until(stop, results):
    while not stop.is_set():
        try:
            results[ask()] += 1
        except OSError as error:
            results[repr(error)] += 1


def main():
    try:
        near, near_end = end_of_the_wire("10.9.0.1")
        far, far_end = end_of_the_wire("10.9.0.2")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no network of our own: {error}", file=sys.stderr)
        sys.exit(77)
    parent = os.getpid()
    if os.fork() == 0:
        carry(near_end, far_end, parent)
        os._exit(0)
    libc.setns(near, 0)
    server = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    libc.setns(far, 0)
    stop, results = threading.Event(), collections.Counter()
    while True:
        try:
            ask()
            break
        except ConnectionRefusedError:
            pass
    threads = [threading.Thread(target=ask_until, args=(stop, results)) for _ in range(N_CLIENTS)]
    for thread in threads:
        thread.start()
    print(server.pid, flush=True)
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps(results), flush=True)


main()
