# SPDX-License-Identifier: MIT
"""The clients: bench/restart/clients.c as a process, told when restarts were, and what it saw."""

import json
import os
import subprocess
import threading
import time

import servers

FAR = 1 << 62  # ns: beyond every run


def now():
    return time.monotonic_ns()


class Clients:
    def __init__(self, server, profiles, rate=None):
        arguments = ["--target", f"127.0.0.1:{server.port}"]
        for profile in profiles:
            arguments += ["--profile", profile]
        if rate:
            arguments += ["--rate", str(rate)]
        self.process = subprocess.Popen([os.path.join(servers.BUILD, "bench", "clients"), *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.changed = threading.Condition()
        self.is_ready, self.first_answers, self.summary, self.ended = False, {}, None, False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()

    def read(self):
        for line in self.process.stdout:
            words = line.split()
            with self.changed:
                if words[0] == "ready":
                    self.is_ready = True
                elif words[0] == "generation":
                    self.first_answers.setdefault(int(words[1]), int(words[5]))
                else:
                    self.summary = json.loads(line)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait(self, what, condition):
        with self.changed:
            self.changed.wait_for(lambda: condition() or self.ended, servers.PATIENCE)
            if not condition():
                raise servers.Trouble(what)

    def wait_ready(self):
        self.wait("not all of its clients get an answer", lambda: self.is_ready)

    def wait_generation(self, generation):
        """When it answered somebody for the first time."""
        self.wait(f"generation {generation} answers nobody", lambda: generation in self.first_answers)
        return self.first_answers[generation]

    def say(self, stretch, since, until):
        self.process.stdin.write(f"{stretch} {since} {until}\n")
        self.process.stdin.flush()

    def around(self, since, until):
        self.say("around", since, until)

    def ignore(self, since, until):
        self.say("ignore", since, until)

    def count(self, since, until):
        self.say("count", since, until)

    def finish(self):
        """No more requests. Returns what was seen."""
        self.process.stdin.close()
        self.wait("the clients do not end", lambda: self.summary is not None)
        return self.summary
