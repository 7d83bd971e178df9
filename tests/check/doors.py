# SPDX-License-Identifier: MIT
"""A dangerous call lives in one room, so that a reviewer audits one file.

Each door names the calls, the files that may make them, and why there. A call anywhere else below the
door's folder is a finding. So is a file on the list that makes no such call: a door that leads nowhere
hides that the calls have moved.
"""
import re

import tree


def calls(*names):
    return re.compile(r"(?<![\w.>])(?:" + "|".join(names) + r")\s*\(")


def words(*names):
    return re.compile(r"(?<![\w.>])(?:" + "|".join(names) + r")\b")


# (folder, what, pattern, files that may, why)
DOORS = [
    ("src", "messages with descriptors", re.compile(r"\b(?:(?:send|recv)m?msg\s*\(|CMSG_\w+)"),
     ["src/core/channel.c", "src/http/tls/ktls.c"],
     "one receive function checks level, type, count and truncation, and closes what it rejects; the types of"
     " TLS records come the same way, on TCP sockets, which carry no descriptors"),
    ("src/core", "processes",
     calls("v?fork", "clone3?", "posix_spawnp?", "exec[lv]p?e?", "execveat", "fexecve", "popen", "system",
           "waitid", "waitpid", "wait4?", "pidfd_\\w+", "kill", "killpg", "syscall"),
     ["src/core/spawn.c", "src/core/init.c"],
     "between clone and exec only async-signal-safe calls; no process is waited for but our own; the init, which"
     " is a process of its own, reaps all"),
    ("src/core", "placing descriptors", re.compile(r"(?<![\w.>])(?:dup[23]|close_range)\s*\(|SYS_(?:dup[23]|close_range)\b"),
     ["src/core/spawn.c"],
     "in the child only: a number is taken from whoever had it"),
    ("src/core", "closing descriptors", re.compile(r"(?<![\w.>])close\s*\(|SYS_close\b"),
     ["src/core/fd.c", "src/core/spawn.c"],
     "a double close aborts in the tests; the child of spawn must not go through the checks"),
    ("src/core", "the environment", words("getenv", "secure_getenv", "setenv", "unsetenv", "putenv",
                                          "clearenv", "environ"),
     ["src/core/hot.c", "src/core/init.c"],
     "read and emptied once, at hot_open(), before other threads start; what it says of the process that stays is"
     " set right for its child"),
    ("src/core", "signals", calls("sigaction", "sigprocmask", "pthread_sigmask", "signalfd", "signal"),
     ["src/core/spawn.c", "src/core/hot.c", "src/core/control/tail.c", "src/core/init.c"],
     "blocked around the spawn; the signalfd of hot_signals(), whose host has asked for it; the SIGPIPE of"
     " our own write, taken back; the init, which reads all of them"),
    ("src/core", "threads", re.compile(r"\b(?:pthread_(?!sigmask)\w+|thrd_\w+|mtx_\w+|cnd_\w+)"), [],
     "the core starts none and locks none"),
    ("src/core", "connections shut for every holder", calls("shutdown"),
     ["src/core/inherit.c", "src/core/control/control_client.c"],
     "shutdown() of a listener kills it in every process that has it; inherit shuts its own channel only, and"
     " a control connection that was told all is in nobody else's hands"),
    ("src/core", "output and the end of the process",
     re.compile(r"\bstd(?:out|err)\b|(?<![\w.>])(?:perror|v?printf|puts|putchar|_?exit|abort|errx?|warnx?"
                r"|syslog)\s*\((?!printf)"),
     [],
     "a library reports, the program decides"),
    ("src/http", "polling", calls("epoll_\\w+", "eventfd\\w*"), ["src/http/loop.c"],
     "a descriptor that another process holds has to be out of every epoll before it is closed or given away;"
     " everything else knows watches, alarms and letters"),
    ("src/http", "llhttp", re.compile(r"\bllhttp_\w+"), ["src/http/parser.[ch]"],
     "the parser could be another one; what it lets through and we do not is refused in one place"),
    ("src/http", "OpenSSL", re.compile(r"\b(?:SSL|BIO|EVP|X509|OSSL|ERR|RAND|CRYPTO|OPENSSL)_\w+\s*\("),
     ["src/http/tls/.*[.]c", "src/http/live/websocket_key.c"],
     "what is above knows bytes that came by a transport; keys are handled, and wiped, in one place; a "
     "WebSocket's key is none, but answered by its digest"),
    ("src/http", "libwslay", re.compile(r"\bwslay_\w+"), ["src/http/live/websocket.c"],
     "it is not thread-safe, and calls back while it works"),
    ("src/http", "nghttp2", re.compile(r"\bnghttp2_\w+"), ["src/http/http2/.*[.][ch]"],
     "a handler does not know which protocol its request came by"),
    ("src/http", "sockets",
     calls("accept4?", "recv(?:from)?", "send(?:to|file)?", "readv?", "writev?", "[gs]etsockopt", "close", "shutdown"),
     ["src/http/socket.c", "src/http/log.c", "src/http/tls/ktls.c"],
     "one place for EINTR, EAGAIN and MSG_NOSIGNAL; the log writes lines, to what is no socket; keys for the"
     " kernel are wiped where they were laid out for it"),
    ("src/http", "starting threads", calls("pthread_create"), ["src/http/thread.c"],
     "every thread of the library is born with all signals blocked"),
    ("src/http", "signal masks", calls("pthread_sigmask"), ["src/http/thread.c", "src/http/sigpipe.c", "src/http/hangup.c"],
     "around the start of a thread; around a write that may raise SIGPIPE; SIGHUP, where there is a log to reopen"),
    ("src/http", "output and the end of the process",
     re.compile(r"\bstd(?:out|err)\b|\bSTD(?:OUT|ERR)_FILENO\b|(?<![\w.>])(?:perror|v?d?printf|puts|_?exit|abort"
                r"|syslog)\s*\("),
     ["src/http/log.c"],
     "the default log sink, which the host can replace"),
]


def allowed(name, rooms):
    return any(re.fullmatch(room, name) for room in rooms)


def main():
    findings = []
    for folder, what, pattern, rooms, why in DOORS:
        used = set()
        for path in tree.files(folder, suffixes={".c", ".h"}):
            name = tree.name(path)
            for line, text in tree.hits(tree.code(path), pattern):
                if allowed(name, rooms):
                    used.add(name)
                else:
                    findings.append(f"{name}:{line}: {text.strip()}: {what} belong to "
                                    f"{', '.join(rooms) or 'no file here'}: {why}")
        for room in rooms:
            if not any(re.fullmatch(room, name) for name in used):
                findings.append(f"{room}: has a door for {what} and does not need it")
    tree.finish(findings, f"{len(DOORS)} doors, each where it belongs")


main()
