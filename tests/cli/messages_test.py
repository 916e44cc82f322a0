#!/usr/bin/env python3
"""messages_test.py LCX SOURCE BUILD -- every message is in po/es.po, whole, and nothing else is."""
import os
import re
import shutil
import subprocess
import sys

from world import SOURCE, run

_XGETTEXT = ["xgettext", "--from-code=UTF-8", "--keyword=_", "--keyword=N_", "--keyword=ngettext:1,2"]


def _sources():
    found = []
    for room in ("src", "practice", "cmd", "labs"):
        for folder, _, files in os.walk(os.path.join(SOURCE, room)):
            found += [os.path.relpath(os.path.join(folder, f), SOURCE) for f in files if f.endswith(".c")]
    return sorted(found)


def _with_messages():
    marked = re.compile(r"\b(_|N_|ngettext)\(\s*\"")
    names = []
    for name in _sources():
        with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
            if marked.search(file.read()):
                names.append(name)
    return names


def every_source_with_messages_is_listed(w):
    with open(os.path.join(SOURCE, "po", "POTFILES"), encoding="utf-8") as file:
        listed = file.read().split()
    assert listed == sorted(listed)
    missing = set(_with_messages()) - set(listed)
    assert not missing, f"run po/update: {sorted(missing)}"
    gone = [name for name in listed if not os.path.exists(os.path.join(SOURCE, name))]
    assert not gone, gone


def every_message_is_translated(w):
    template, catalogue = w.path("all.pot"), os.path.join(SOURCE, "po", "es.po")
    subprocess.run([*_XGETTEXT, "-o", template, *_with_messages()], cwd=SOURCE, check=True)
    subprocess.run(["msgfmt", "--check-format", "-o", "/dev/null", catalogue], check=True)
    done = subprocess.run(["msgcmp", catalogue, template], capture_output=True, encoding="utf-8",
                          check=False)
    assert done.returncode == 0, f"run po/update, and translate what it lists:\n{done.stderr}"


def _oracles():
    return [name for name in _sources() if name.endswith("/oracle.c")]


def _text(name):
    """A source without its comments."""
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)


def every_name_of_a_case_is_marked_and_translated(w):
    with open(os.path.join(SOURCE, "po", "es.po"), encoding="utf-8") as file:
        spanish = dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.*)"$', file.read(), re.MULTILINE))
    for name in _oracles():
        table = re.search(r"struct case_kind kinds\[\w*\] = \{\n(.*?)\n\};", _text(name), re.DOTALL)
        assert table, f"{name}: no table of cases"
        kinds = re.findall(r"\{(?:\s*\.name =)?\s*([^,{}]*?\"(?:[^\"\\]|\\.)*\"\)?)", table[1])
        assert kinds and len(kinds) == len(re.findall(r"\bCASE_", table[1])), name
        for kind in kinds:
            words = re.fullmatch(r'N_\("(.*)"\)', kind)
            assert words, f"{name}: the case {kind} is not marked: N_({kind})"
            assert spanish.get(words[1]), f"{name}: the case {kind} has no Spanish: po/update"


def every_word_of_an_oracle_is_marked(w):
    for name in _oracles():
        source = _text(name)
        bare = re.findall(r'\.what\s*=\s*(".*")', source)
        # the words are what follows the mistake's name or NULL, and begin a finding or a complaint
        before = r'\b(?:finding_add|say)\((?:[^;"]|"[\w-]+")*?,\s*\(?'
        bare += re.findall(before + r'("(?!%s")[^"]* [^"]*")', source)
        assert not bare, f"{name}: not marked for translation: {bare}"


def no_translation_is_left_over(w):
    done = subprocess.run(["msgattrib", "--only-obsolete", os.path.join(SOURCE, "po", "es.po")],
                          capture_output=True, encoding="utf-8", check=True)
    assert "msgid" not in done.stdout, done.stdout


if __name__ == "__main__":
    if not all(shutil.which(tool) for tool in ("xgettext", "msgfmt", "msgcmp", "msgattrib")):
        sys.exit(77)
    run(globals())
