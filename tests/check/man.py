# SPDX-License-Identifier: MIT
"""man.py LIBRARY...: the man pages cannot drift from the libraries and their headers.

What the libraries export, what the headers declare and what the pages of section 3 document are the same
functions, each on one page, with the same prototype in all of them; every .Nm is a documented function; and
every page that one of ours refers to in the name of this project exists.
"""
import re
import subprocess
import sys

import tree

NAME = re.compile(r"hot_\w+")


def exported(library):
    """The public names that a library defines: dynamic symbols of a shared one, global ones of an archive."""
    dynamic = ["-D"] if library.endswith(".so") or ".so." in library else []
    out = subprocess.run(["nm", "-g", *dynamic, "--defined-only", library], check=True,
                         capture_output=True, text=True).stdout
    names = {line.split()[-1] for line in out.splitlines() if len(line.split()) == 3}
    return {n for n in names if re.fullmatch(r"hot_[a-z]\w*", n)}


def normal(prototype):
    """One space between words, none beside punctuation."""
    prototype = re.sub(r"\s+", " ", prototype.strip())
    return re.sub(r" ?([(),*]) ?", r"\1", prototype)


def declared():
    """name -> prototype, from HOT_EXPORT declarations; and of the typedefs of functions."""
    found, types = {}, {}
    for path in tree.files("include", suffixes={".h"}):
        for text in re.findall(r"(?<!define )\bHOT_EXPORT\s+([^;{]+);", tree.code(path)):
            found[re.search(r"(hot_\w+)\s*\(", text).group(1)] = normal(
                re.sub(r"__attribute__\s*\(\(.*?\)\)\)?", "", text))
        for text in re.findall(r"^typedef [^;{]*\bhot_\w+\([^;{]+(?=;)", tree.code(path), re.MULTILINE):
            types[re.search(r"(hot_\w+)\(", text).group(1)] = normal(text)
    return found, types


def documented(page):
    """(name -> prototype, the same of typedefs, names in .Nm) of a page: .Ft, .Fo, .Fa, .Fc."""
    prototypes, types, names, kind, function, arguments = {}, {}, [], None, None, []
    for line in page.read_text().splitlines():
        words = line.split(None, 1)
        rest = words[1] if len(words) > 1 else ""
        if line.startswith(".Nm ") and NAME.match(rest):
            names.append(rest.split()[0])
        elif line.startswith(".Ft "):
            kind = rest.strip('"')
        elif line.startswith(".Fo "):
            function, arguments = rest, []
        elif line.startswith(".Fa ") and function:
            arguments.append(rest.strip('"'))
        elif line.startswith(".Fc") and function:
            found = types if kind.startswith("typedef ") else prototypes
            found[function] = normal(f"{kind} {function}({', '.join(arguments)})")
            function = None
        elif line.startswith(".Sh DESCRIPTION"):
            break
    return prototypes, types, names


def differences(left, right, here, there):
    for name in sorted(left - right):
        yield f"{name}: {here}, but {there}"


def main(libraries):
    findings, in_pages, types_in_pages = [], {}, {}
    headers, types = declared()
    symbols = set().union(*(exported(library) for library in libraries))
    pages = tree.files("man", suffixes={".1", ".3", ".7"})
    for page in pages:
        if page.suffix != ".3":
            continue
        prototypes, page_types, names = documented(page)
        types_in_pages.update(page_types)
        if set(prototypes) != set(names):
            findings.append(f"{page.name}: .Nm lines and prototypes differ: "
                            f"{' '.join(sorted(set(prototypes) ^ set(names)))}")
        findings += [f"{page.name}: {name} is on another page too" for name in prototypes if name in in_pages]
        in_pages.update(prototypes)
        for name, prototype in (prototypes | page_types).items():
            header = (headers | types).get(name, prototype)
            if prototype != header:
                findings.append(f"{page.name}: {prototype}\n    the header says {header}")
    findings += differences(symbols, set(headers), "exported", "no header declares it")
    findings += differences(set(headers), symbols, "declared", "no library exports it")
    findings += differences(set(headers), set(in_pages), "declared", "no page documents it")
    findings += differences(set(in_pages), set(headers), "documented", "no header declares it")
    findings += differences(set(types), set(types_in_pages), "declared type", "no page documents it")
    findings += differences(set(types_in_pages), set(types), "documented type", "no header declares it")
    findings += broken_references(pages, set(in_pages))
    tree.finish(findings, f"{len(headers)} functions: exported, declared and documented alike")


def broken_references(pages, functions):
    """.Xr to a page of ours that there is not."""
    known = {(page.stem, page.suffix[1:]) for page in pages} | {(name, "3") for name in functions}
    for page in pages:
        for name, section in re.findall(r"^\.Xr (hot\w+) (\d)", page.read_text(), re.MULTILINE):
            if (name, section) not in known:
                yield f"{page.name}: refers to {name}({section}), which does not exist"


main(sys.argv[1:])
