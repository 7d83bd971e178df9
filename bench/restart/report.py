# SPDX-License-Identifier: MIT
"""Interleaved rounds: every row as it comes, and then the medians."""

import collections
import statistics

import servers

NOTHING = {"rounds": {}, "medians": {}, "troubles": []}
Column = collections.namedtuple("Column", "key title digits")


def line(label, row, columns):
    cells = [f"{'-' if row.get(c.key) is None else format(row[c.key], f'.{c.digits}f'):>{len(c.title)}}"
             for c in columns]
    print(f"{label:24}  " + "  ".join(cells), flush=True)


def head(columns):
    print(" " * 24 + "  " + "  ".join(c.title for c in columns))


def median(rows, columns):
    """Of each column, over the rounds that have it."""
    found = {}
    for column in columns:
        values = [row[column.key] for row in rows if row.get(column.key) is not None]
        if values:
            found[column.key] = statistics.median(values)
    return found


def rounds(count, names, columns, measure):
    """measure(name) -> row, for each name in each round; the order turns from round to round."""
    rows, troubles = {name: [] for name in names}, []
    head(columns)
    for number in range(count):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            try:
                row = measure(name)
                rows[name].append(row)
                line(f"{number + 1:2} {name}", row, columns)
                trouble = row.get("trouble")
            except servers.Trouble as failure:
                trouble = failure
            if trouble:
                print(f"{number + 1:2} {name}: {trouble}", flush=True)
                troubles.append(f"{name}: {trouble}")
    print("medians")
    medians = {name: median(rows[name], columns) for name in names if rows[name]}
    for name, row in medians.items():
        line(f"   {name}", row, columns)
    return {"rounds": rows, "medians": medians, "troubles": troubles}
