#!/usr/bin/python3
"""documents.py - what the documents say of each other and of the tables is true.

    documents.py            TAP
    documents.py --shrink   takes off protocol.md's list what is there now (make methods-page)

Every link between documents leads somewhere, to a heading where it names one; README leads to every document; all of
them are in the distribution; and protocol.md's list of what is not there yet is right.
"""
import glob
import os
import re
import sys

import tap

TOP = os.environ.get("TOP_SRCDIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
LINK = re.compile(r"\[[^][]*\]\(([^)\s]+)\)")
ROW = re.compile(r"^(?:METHOD\((\w+)|EVENT\((\w+)|OPTION\(\w+, *(\w+)|TYPE\(\d+, *\w+, *(\w+))", re.MULTILINE)


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def without_blocks(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def prose(text):
    """Without code, in which [x](y) is no link."""
    return re.sub(r"`[^`\n]*`", "", without_blocks(text))


def anchors(text):
    """What a heading is called behind #, as GitHub does it."""
    headings = re.findall(r"^#+ +(.*)$", without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def documents():
    pages = glob.glob("docs/**/*.md", root_dir=TOP, recursive=True)
    return ["README.md", *sorted(pages)]


def links_of(page):
    """(path below TOP, anchor or "") of each link that leads to a file here."""
    for link in LINK.findall(prose(read(page))):
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            yield (os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page), anchor


def every_link_leads_somewhere():
    for page in documents():
        for path, anchor in links_of(page):
            assert os.path.exists(os.path.join(TOP, path)), f"{page}: there is no {path}"
            assert not anchor or anchor in anchors(read(path)), f"{page}: {path} has no heading #{anchor}"


def readme_leads_to_every_document():
    reached, queue = {"README.md"}, ["README.md"]
    while queue:
        for path, _ in links_of(queue.pop()):
            inside = [page for page in documents() if page == path or page.startswith(path + "/")]
            queue += [page for page in inside if page not in reached]
            reached.update(inside)
    assert reached >= set(documents()), f"no link leads to {sorted(set(documents()) - reached)}"


def every_document_is_distributed():
    listed = read("docs/local.mk").split()
    for page in documents():
        assert page in listed, f"docs/local.mk does not name {page}"


def rows():
    """Names of methods, events, options and types that there are."""
    found = set()
    for table in ("methods", "events", "options", "types"):
        found.update(name for row in ROW.findall(read(f"protocol/{table}.def")) for name in row if name)
    return found


def items():
    """What protocol.md lists as not there yet: lines, each with its names."""
    section = re.search(r"^## Not yet in this version$(.*?)^## ", read("docs/protocol.md"), re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^- .*\n", section[1], re.MULTILINE)
    return [(line, set(re.findall(r"`(\w+)`", line))) for line in lines]


def missing():
    return set().union(*(names for _, names in items()))


def promised():
    """Methods and events that protocol.md describes, in the tables of section 4."""
    section = re.search(r"^## 4\. Methods$(.*?)^## 5", read("docs/protocol.md"), re.MULTILINE | re.DOTALL)
    cells = re.findall(r"^\| ([^|]*) \|", section[1], re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)", cell)}


def what_is_not_there_yet_is_listed_and_nothing_else():
    stale = missing() & rows()
    assert not stale, f"{sorted(stale)} are there now: make methods-page takes them off protocol.md's list"
    unsaid = promised() - rows() - missing()
    assert not unsaid, f"protocol.md describes {sorted(unsaid)}, which are not there, nor on its list of what is not"


def every_method_and_event_is_described():
    tables = read("protocol/methods.def") + read("protocol/events.def")
    names = set(re.findall(r"^(?:METHOD|EVENT)\((\w+)", tables, re.MULTILINE))
    assert names <= promised(), f"section 4 of protocol.md does not describe {sorted(names - promised())}"


def shrink():
    text = read("docs/protocol.md")
    for line, names in items():
        left = names - rows()
        kept = re.sub(r"`(\w+)`,? ?", lambda name: name[0] if name[1] in left else "", line).rstrip(", \n") + "\n"
        text = text.replace(line, kept if left else "")
    with open(os.path.join(TOP, "docs/protocol.md"), "w", encoding="utf-8") as file:
        file.write(text)


def main():
    if sys.argv[1:] == ["--shrink"]:
        return shrink()
    return tap.run([every_link_leads_somewhere, readme_leads_to_every_document, every_document_is_distributed,
                    what_is_not_there_yet_is_listed_and_nothing_else, every_method_and_event_is_described])


if __name__ == "__main__":
    sys.exit(main())
