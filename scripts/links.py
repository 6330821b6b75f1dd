"""Checks every link of the documents that leads to a place in this repository: the file, and the heading in it."""

import pathlib
import re
import subprocess
import sys


def anchor(heading):
    """The address of a heading, as GitHub makes it."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda found: found.group(1) or "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S))


def anchors(path):
    text = re.sub(r"^ *```.*?^ *```", "", path.read_text(), flags=re.M | re.S)
    return {anchor(line.lstrip("#")) for line in text.splitlines() if line.startswith("#")}


wrong = []
files = subprocess.run(["git", "ls-files", "*.md"], check=True, capture_output=True, text=True).stdout.split()
for name in files:
    if name.startswith("tests/"):
        continue
    path = pathlib.Path(name)
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, part = link.partition("#")
        there = path.parent / target if target else path
        if not there.exists():
            wrong.append(f"{name}: {link}: there is no such file")
        elif part and there.suffix == ".md" and part not in anchors(there):
            wrong.append(f"{name}: {link}: there is no such heading")
for line in wrong:
    print(line)
sys.exit(1 if wrong else 0)
