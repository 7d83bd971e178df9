# SPDX-License-Identifier: MIT
"""The source tree as the checks see it: its files, and C text without comments and literals."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77

# Comments, strings and character constants, in the order in which they may hide each other.
_HIDDEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def files(*folders, suffixes=None):
    """The files below some folders of the tree, sorted; generated and hidden ones left out."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and not any(p.startswith((".", "__")) for p in parts):
                if suffixes is None or path.suffix in suffixes:
                    found.append(path)
    return found


def name(path):
    return str(path.relative_to(ROOT))


def code(path):
    """C text with comments and literals blanked, line numbers kept."""
    def blank(match):
        hidden = match.group(0)
        return "".join(c if c == "\n" else " " for c in hidden)

    return _HIDDEN.sub(blank, path.read_text())


def hits(text, pattern):
    """(line number, matched text) of every match."""
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(0)


def finish(findings, good):
    """Print the findings and leave: 0 if there are none."""
    for finding in findings:
        print(finding)
    if findings:
        sys.exit(f"{len(findings)} finding(s)")
    print(good)


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)
