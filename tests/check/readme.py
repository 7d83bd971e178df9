# SPDX-License-Identifier: MIT
"""The program in the README is examples/minimal.c, which is compiled: a reader can trust it."""
import re

import tree

BLOCK = re.compile(r"```c\n(.*?)```", re.DOTALL)

shown = [block for block in BLOCK.findall((tree.ROOT / "README.md").read_text())]
# The licence line and the comment that opens the file are for those who read it there.
lines = (tree.ROOT / "examples/minimal.c").read_text().splitlines(keepends=True)
while lines and (lines[0].startswith(("/*", " *")) or not lines[0].strip()):
    lines.pop(0)
program = "".join(lines)

findings = []
if program not in shown:
    findings.append("README.md: no C block is examples/minimal.c from its first #include on")
tree.finish(findings, f"README.md shows examples/minimal.c, {len(lines)} lines")
