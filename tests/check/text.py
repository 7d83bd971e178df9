# SPDX-License-Identifier: MIT
"""What no file of the tree may contain, and what every source file must.

The rules about tests: they wait for events, never for time to pass.
"""
import re

import tree

SOURCES = ["include", "src", "examples", "tests", "tools", "cmake", "man", "docs", "bench"]
TEXT = SOURCES + [".ci"]
LINES_MAX = 600

SLEEP = {
    ".c": re.compile(r"(?<!\w)(?:u?sleep|nanosleep|clock_nanosleep|thrd_sleep)\s*\("),
    ".py": re.compile(r"(?<!\w)(?:time\.sleep|sleep)\s*\("),
    ".sh": re.compile(r"(?:^|[;&|(]|\bdo\b|\bthen\b)\s*sleep\s", re.MULTILINE),
}
# An unfinished thing must say where its end is discussed.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b(?!\(#\d+\))")
MACHINE = re.compile(r"/(?:home|Users|root|work)/\w+|/tmp/\w+/")


def sleeps():
    for path in tree.files("tests", suffixes=set(SLEEP)):
        text = tree.code(path) if path.suffix == ".c" else path.read_text()
        for line, hit in tree.hits(text, SLEEP[path.suffix]):
            yield f"{tree.name(path)}:{line}: {hit.strip()}: a test waits for an event, not for time"


def words():
    paths = tree.files(*[f for f in TEXT if (tree.ROOT / f).exists()])
    paths += [p for p in tree.ROOT.iterdir() if p.is_file() and not p.name.startswith(".git")]
    for path in paths:
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # recorded frames and corpora
        for line, hit in tree.hits(text, UNFINISHED):
            yield f"{tree.name(path)}:{line}: {hit} without an issue, as in {hit}(#12)"
        if path != tree.ROOT / "tests/check/text.py":
            for line, hit in tree.hits(text, MACHINE):
                yield f"{tree.name(path)}:{line}: {hit}: a path of one machine"


def shape():
    for path in tree.files("include", "src", "examples", "tests", suffixes={".c", ".h"}):
        lines = path.read_text().splitlines()
        if not lines or lines[0] != "/* SPDX-License-Identifier: MIT */":
            yield f"{tree.name(path)}:1: the first line names the licence"
        if path.suffix == ".c" and len(lines) > LINES_MAX:
            yield f"{tree.name(path)}: {len(lines)} lines, more than {LINES_MAX}: split it at its second noun"
    for path in tree.files("tests", "tools", suffixes={".py", ".sh", ""}):
        if "# SPDX-License-Identifier: MIT" not in path.read_text(errors="replace")[:200]:
            if path.suffix or path.read_bytes()[:2] == b"#!":
                yield f"{tree.name(path)}:1: the head names the licence"


tree.finish([*sleeps(), *words(), *shape()], "nothing that does not belong")
