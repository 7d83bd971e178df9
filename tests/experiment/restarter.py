#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A server that restarts itself, small enough to see through, and one fault at will.

It speaks to the experiment as build/demo does (--listen ADDRESS --hello-delay SECONDS, SIGUSR2, X-Pid), but
shares no code with the library. Without a fault every verdict on it is yes. RESTARTER_FAULT makes it

  both      go on accepting while the new process accepts too
  leak      keep one descriptor more with each generation
  inherit   clear FD_CLOEXEC in the parent instead of on the child's copy
  stay      leave FD_CLOEXEC clear in the child
  rebind    bind a second socket to the address instead of using the inherited one
  drop      end without finishing the slow request
  linger    never end
"""
import argparse
import os
import select
import signal
import socket
import sys
import time

FAULT = os.environ.get("RESTARTER_FAULT", "none")
LISTENER, CHANNEL = 3, 4


class Server:
    def __init__(self, address, delay):
        self.generation = int(os.environ.get("HOT_GENERATION", "1"))
        self.delay = delay
        self.epoll = select.epoll()
        self.heads = {}     # connection -> what it has sent so far
        self.waiting = {}   # connection -> when its answer is due
        self.accepting = self.ending = False
        self.child = self.successor = None
        self.kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(self.generation - 1)
                     if FAULT == "leak"]
        if self.generation > 1:
            self.listener = socket.socket(fileno=LISTENER)
            self.listener.set_inheritable(FAULT == "stay")
            self.channel = socket.socket(fileno=CHANNEL)
            self.channel.set_inheritable(False)
            if FAULT == "rebind":
                self.rebind()
            self.channel.send(b"ready")
            self.epoll.register(self.channel, select.EPOLLIN)
            if FAULT == "both":
                self.accept_from_now_on()
        else:
            self.channel = None
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, FAULT == "rebind")
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            host, port = address.rsplit(":", 1)
            self.listener.bind((host, int(port)))
            self.listener.listen()
            self.accept_from_now_on()
        self.listener.setblocking(False)
        self.listen_to_signals()

    def rebind(self):
        second = socket.socket()
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        second.bind(self.listener.getsockname())
        second.listen()
        self.listener.close()
        self.listener = second

    def listen_to_signals(self):
        self.woken, wakes = socket.socketpair()
        self.woken.setblocking(False)
        wakes.setblocking(False)
        self.wakes = wakes
        signal.set_wakeup_fd(wakes.fileno())
        for number in (signal.SIGUSR2, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        self.epoll.register(self.woken, select.EPOLLIN)

    def log(self, text):
        print(f"[pid {os.getpid()}] {text}", file=sys.stderr, flush=True)

    def accept_from_now_on(self):
        self.epoll.register(self.listener, select.EPOLLIN)
        self.accepting = True
        self.log("serving")

    def stop_accepting(self):
        if self.accepting:
            self.epoll.unregister(self.listener)
        self.accepting = False

    def restart(self):
        ours, theirs = socket.socketpair()
        if FAULT == "inherit":
            self.listener.set_inheritable(True)
        self.child = os.fork()
        if self.child == 0:
            self.become_successor(theirs)
        theirs.close()
        self.successor = ours
        self.epoll.register(ours, select.EPOLLIN)

    def become_successor(self, theirs):
        # Out of the way of the numbers that they get.
        listener, channel = (os.dup(fd) for fd in (self.listener.fileno(), theirs.fileno()))
        os.dup2(listener, LISTENER)
        os.dup2(channel, CHANNEL)
        os.closerange(CHANNEL + 1, 256)
        environment = dict(os.environ, HOT_GENERATION=str(self.generation + 1), LISTEN_FDS="1",
                           LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="http")
        os.execve(sys.executable, [sys.executable, "-B", *sys.argv], environment)

    def on_successor(self):
        if not self.successor.recv(100):
            return
        if FAULT != "both":
            self.stop_accepting()
        self.successor.send(b"go")
        self.ending = True
        if FAULT == "drop":
            os._exit(0)

    def on_channel(self):
        if self.channel.recv(100):
            if not self.accepting:
                self.accept_from_now_on()
        else:  # the old process has ended
            self.epoll.unregister(self.channel)
            self.channel.close()

    def on_signals(self):
        for number in self.woken.recv(100):
            if number == signal.SIGUSR2:
                self.restart()
            elif number == signal.SIGTERM:
                self.stop_accepting()
                self.ending = True

    def on_listener(self):
        try:
            connection = self.listener.accept()[0]
        except BlockingIOError:
            return
        self.heads[connection.fileno()] = (connection, b"")
        self.epoll.register(connection, select.EPOLLIN)

    def on_connection(self, fd):
        connection, head = self.heads[fd]
        more = connection.recv(4096)
        self.heads[fd] = (connection, head + more)
        if not more:
            self.end(fd)
        elif b"\r\n\r\n" in head + more:
            path = (head + more).split()[1]
            self.epoll.unregister(fd)
            self.waiting[fd] = (time.monotonic() + (self.delay if path == b"/hello" else 0), path)

    def end(self, fd):
        connection, _ = self.heads.pop(fd)
        connection.close()

    def answer_what_is_due(self):
        for fd, (due, path) in list(self.waiting.items()):
            if due > time.monotonic():
                continue
            body = {b"/hello": "hello world233333!!!!", b"/test": "test 22222"}.get(path, "{}")
            self.heads[fd][0].sendall(
                f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
                f"X-Pid: {os.getpid()}\r\nX-Generation: {self.generation}\r\n\r\n{body}".encode())
            del self.waiting[fd]
            self.end(fd)

    def timeout(self):
        due = min((due for due, _ in self.waiting.values()), default=None)
        return -1 if due is None else max(0, due - time.monotonic())

    def run(self):
        while not (self.ending and not self.heads and FAULT != "linger"):
            for fd, _ in self.epoll.poll(self.timeout()):
                if fd == self.woken.fileno():
                    self.on_signals()
                elif self.successor and fd == self.successor.fileno():
                    self.on_successor()
                elif self.channel and fd == self.channel.fileno():
                    self.on_channel()
                elif fd == self.listener.fileno():
                    self.on_listener()
                elif fd in self.heads:
                    self.on_connection(fd)
            self.answer_what_is_due()
        self.log("ended")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", required=True)
    parser.add_argument("--hello-delay", type=float, default=20)
    options = parser.parse_args()
    Server(options.listen, options.hello_delay).run()


main()
