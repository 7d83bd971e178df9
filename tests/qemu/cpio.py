# SPDX-License-Identifier: MIT
"""An archive in the format that a kernel unpacks at its start (cpio, newc)."""

import io
import os
import stat


class Archive:
    def __init__(self):
        self.out = io.BytesIO()
        self.number = 0
        self.folders = set()

    def add(self, name, mode, content=b""):
        self.number += 1
        path = name.encode() + b"\0"
        fields = [self.number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0]
        self.put(b"070701" + b"".join(b"%08x" % field for field in fields) + path)
        self.put(content)

    def put(self, data):
        self.out.write(data + b"\0" * (-len(data) % 4))

    def folder(self, name):
        parts = name.split("/")
        for end in range(1, len(parts) + 1):
            part = "/".join(parts[:end])
            if part and part not in self.folders:
                self.folders.add(part)
                self.add(part, stat.S_IFDIR | 0o755)

    def file(self, name, content, mode=0o644):
        self.folder(os.path.dirname(name))
        self.add(name, stat.S_IFREG | mode, content)

    def link(self, name, target):
        self.folder(os.path.dirname(name))
        self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def finish(self):
        self.add("TRAILER!!!", 0)
        return self.out.getvalue()
