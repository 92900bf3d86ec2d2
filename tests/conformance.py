#!/usr/bin/python3
"""conformance.py - docs/conformance.md names a test for every sentence of the contract, and every test that it names is run.

    conformance.py            TAP
    conformance.py --write    brings the rows of docs/conformance.md up to date with the pages: what is new gets no test

The contract is sections 1 to 7 of docs/protocol.md, and docs/semantics.md. A sentence ends with a full stop; rows of tables
are sentences, too. It stands in the table as it stands in the page: who changes a sentence there sees here what tests it. A
test is named by its file and its function. In place of tests there may be a remark in parentheses, for what comes with a later
version or claims nothing that could fail.
"""
import os
import re
import sys

import tap
from python_cases import CASES

TOP = os.environ.get("TOP_SRCDIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
PAGE = "docs/conformance.md"
NOTHING = "-"
CONTRACT = {"protocol.md": ("## 1. ", "## 8. "), "semantics.md": ("## Objects", "Some of them tried")}


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


# -- the contract ----------------------------------------------------------------------------------------------------


def split(text):
    """At full stops that are neither in parentheses nor in code."""
    start, depth, is_code = 0, 0, False
    for at, letter in enumerate(text):
        if letter == "`":
            is_code = not is_code
        if not is_code:
            depth += (letter == "(") - (letter == ")")
        if letter == "." and depth == 0 and not is_code and text[at + 1:at + 2] in ("", " "):
            yield text[start:at].strip()
            start = at + 1
    if text[start:].strip():
        yield text[start:].strip()


def cells_of(line):
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def rows_of_table(lines):
    for line in lines[2:]:  # header and rule
        label, *cells = cells_of(line)
        for part in split(" · ".join(cell for cell in cells if cell not in ("", "-"))):
            yield f"{label}: {part}"


def blocks_of(text):
    """Lists of lines: tables as they are, paragraphs and items of lists each as one line."""
    block = []
    for line in [*text.splitlines(), ""]:
        is_row = line.startswith("|")
        was_row = bool(block) and block[-1].startswith("|")
        if block and (not line or is_row != was_row or re.match(r" *- ", line)):
            if not is_row or was_row:  # what stands right above a table is its caption
                yield block if was_row else [" ".join(map(str.strip, block))]
            block = []
        if line:
            block.append(re.sub(r"^ *- ", "", line))


def sections():
    """(page, heading, sentences) of the contract, in order."""
    for page, (first, last) in CONTRACT.items():
        text = read(f"docs/{page}")
        text = text[text.index("\n" + first):text.index("\n" + last)]
        heading = ""
        for part in re.split(r"^(?=##+ )", text, flags=re.MULTILINE)[1:]:
            level, title = re.match(r"(##+) (.*)\n", part).groups()
            heading = title if level == "##" else f"{re.sub(' - .*', '', heading)} - {title}"
            sentences = []
            for block in blocks_of(part.partition("\n")[2]):
                is_table = block[0].startswith("|")
                sentences += rows_of_table(block) if is_table else split(block[0])
            if sentences:
                yield page, heading, sentences


# -- the table -------------------------------------------------------------------------------------------------------


def rows():
    """{sentence: what stands beside it}"""
    found = {}
    for line in read(PAGE).splitlines():
        if line.startswith("| ") and not line.startswith(("| sentence |", "| ---")):
            sentence, tests = cells_of(line)
            assert sentence not in found, f"twice: {sentence}"
            found[sentence] = tests
    return found


def tests_of(cell):
    """(file, test) of each test in a cell: `a.py`: one, two; `b.c`: three"""
    if cell.startswith("("):
        return
    for part in cell.split("; "):
        file, _, names = part.partition(": ")
        for name in names.split(", "):
            yield file.strip("`"), name


def write():
    old = rows()
    text = read(PAGE)
    text = text[:text.index("\n## ") + 1]
    for page, heading, sentences in sections():
        text += f"## {page}: {heading}\n\n| sentence | tests |\n| --- | --- |\n"
        for sentence in sentences:
            text += "| " + sentence.replace("|", "\\|") + " | " + old.get(sentence, NOTHING) + " |\n"
        text += "\n"
    with open(os.path.join(TOP, PAGE), "w", encoding="utf-8") as file:
        file.write(text.rstrip("\n") + "\n")


# -- tests -----------------------------------------------------------------------------------------------------------


def programs():
    """The test programs that `make check` runs."""
    text = read("tests/local.mk") + read("tests/unit.mk")
    lists = re.findall(r"^(?:unit|script)_tests \+?=((?:.*\\\n)*.*)$", text, re.MULTILINE)
    names = [os.path.basename(name) for block in lists for name in block.replace("\\\n", " ").split()]
    return {name if "." in name else name + ".c" for name in names}


def tests_in(file):
    """The tests that a program runs: those of a suite, or functions that are marked as tests; and the rows of a table."""
    text = read(f"tests/{file}")
    if file.endswith(".c"):
        listed = text.partition("\nint main(")[2]
        return set(re.findall(r"\w+", listed)) & set(re.findall(r"^START_TEST\((\w+)\)", text, re.MULTILINE))
    marked = set(re.findall(r"^@(?:harness\.)?test\w*\n(?:@.*\n)*def (\w+)", text, re.MULTILINE))
    if file == "types_like_python.py":
        marked |= {f"{type}_{method}_answers_as_python_does" for type, method in CASES}
    if file == "replay.py":  # the transcripts in a document
        marked |= {page for page in os.listdir(os.path.join(TOP, "docs")) if page.endswith(".md")}
    return marked


def every_sentence_has_its_row_and_every_row_its_sentence():
    sentences = [sentence for _, _, found in sections() for sentence in found]
    missing = [sentence for sentence in sentences if sentence not in rows()]
    stale = [sentence for sentence in rows() if sentence not in sentences]
    assert not missing and not stale, f"not in {PAGE} (--write adds them): {missing}; in no page any more: {stale}"


def every_row_names_a_test():
    bare = [sentence for sentence, cell in rows().items() if cell == NOTHING]
    assert not bare, f"without a test: {bare}"


def every_test_that_is_named_is_run():
    wrong = []
    runs = {}
    for sentence, cell in rows().items():
        for file, name in tests_of(cell) if cell != NOTHING else ():
            if file not in runs:
                runs[file] = tests_in(file) if file in programs() else set()
            if name not in runs[file]:
                wrong.append(f"{file}: {name}")
    assert not wrong, f"make check runs no {sorted(set(wrong))}"


def main():
    if sys.argv[1:] == ["--write"]:
        return write()
    return tap.run([every_sentence_has_its_row_and_every_row_its_sentence, every_row_names_a_test,
                    every_test_that_is_named_is_run])


if __name__ == "__main__":
    sys.exit(main())
