#!/usr/bin/env python3
"""thirteenth_test.py LCX SOURCE BUILD -- a drill is added by adding a folder, and nothing else.

A copy of the tree is configured without the drill tests/data/drill-13-double. Then the folder is
put into labs/ and the build is brought up to date as ./dev build does. What is built is lcx and
what grades this drill; everything else is the work of other tests.
"""
import json
import os
import re
import shutil
import subprocess

import world
from world import SOURCE, run

DATA = os.path.join(SOURCE, "tests/data/drill-13-double")
MISTAKES = ["triple", "plus-two", "absolute", "first-forgotten", "zero-when-large"]
OPTIONS = "--buildtype=debug -Doptimization=0"


def _files():
    """What git would commit; in a source folder without git, all that is not a build's."""
    words = ["git", "-c", "safe.directory=*", "-C", SOURCE, "ls-files", "-z", "--cached", "--others",
             "--exclude-standard", "--deduplicate"]
    try:
        listed = subprocess.run(words, capture_output=True, check=True).stdout.decode().split("\0")
        return [name for name in listed if name and os.path.lexists(os.path.join(SOURCE, name))]
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(SOURCE):
            folders[:] = [name for name in folders if not name.startswith(("build", ".git", "__pycache__"))]
            found += [os.path.relpath(os.path.join(folder, name), SOURCE) for name in names]
        return found


def _copy(tree):
    for name in _files():
        to = os.path.join(tree, name)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy2(os.path.join(SOURCE, name), to, follow_symlinks=False)


def _shell(tree, script):
    done = subprocess.run(["sh", "-euc", script], cwd=tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=240)
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


def _configure(tree):
    """What ./dev build does before it compiles."""
    return _shell(tree, f". tools/setup.sh; . tools/build.sh; configure build '' {OPTIONS}")


def _targets(tree):
    """lcx, and what the harness folder holds for this drill and for all."""
    lines = _shell(tree, "$(command -v ninja || command -v ninja-build) -C build -t targets all").splitlines()
    names = [line.split(":")[0] for line in lines]
    helpers = [name for name in names if re.fullmatch(r"practice/grader/harness/[^/]+", name)]
    others = r"(lib)?(call|reference)-(?!13\b)"
    return ["lcx"] + [name for name in helpers if not re.match(others, os.path.basename(name))]


def _write(path, source):
    with open(path, "w") as file:
        file.write(source)


def _read(name):
    with open(os.path.join(DATA, name)) as file:
        return file.read()


def _unmarked(source):
    """The right solution, from a reference in which the mistakes are marked."""
    return "".join(line for line in source.splitlines(True) if not re.match(r" *//[:|]", line))


def _is_proved(w):
    lanes = w.rows("drill", "list")[-1]["lanes"]
    assert "c" in lanes, lanes
    for lane in lanes:
        rows = w.rows("drill", "prove", "13", "--lang", lane)
        assert all(row["ok"] and row["lang"] == lane for row in rows), rows
        named = {row["case"]: (row["verdict"], row["diagnosis"]) for row in rows}
        wanted = {"reference": ("pass", None), "starter": ("fail", None), "empty": ("fail", None)}
        wanted.update({f"mutant:{name}": ("fail", name) for name in MISTAKES})
        assert named == wanted, named
    print("      proved in " + ", ".join(lanes))


def _is_sat(w):
    w.run("drill", "start", "13", "--lang", "c")
    path = w.path("doubled.c")
    with open(path) as file:
        assert file.read() == _read("starter.c")
    (row,) = w.rows("drill", "submit", "13", status=1)
    assert row["verdict"] == "fail", row
    _write(path, '#include "doubled.h"\n\nvoid doubled(float *out, const float *x, int n)\n{\n'
                 "    for (int i = 0; i < n; i++) out[i] = 3 * x[i];\n}\n")
    out, _ = w.run("drill", "submit", "13", status=1)
    assert "three times x instead of twice" in " ".join(out.split()), out
    _write(path, _unmarked(_read("reference.c")))
    out, _ = w.run("drill", "submit", "13")
    assert out.startswith("PASS"), out
    assert [row["verdict"] for row in w.rows("drill", "history", "13")] == ["pass", "fail", "fail"]

    if "numpy" in w.rows("drill", "list")[-1]["lanes"]:
        _write(w.path("used.py"), "import numpy as np\n\n\ndef doubled(x):\n    return np.ldexp(x, 1)\n")
        (row,) = w.rows("drill", "submit", "13", "used.py", status=1)
        assert row["verdict"] == "fail" and "numpy.ldexp was used" in json.dumps(row), row

    hunt = w.path("hunt")
    w.run("drill", "start", "13", "--lang", "c", "--mode", "bugs", "--dir", hunt)
    with open(os.path.join(hunt, "doubled.c")) as file:
        hunted = file.read()
    assert "//:" not in hunted and "//|" not in hunted, hunted
    (row,) = w.rows("drill", "submit", "13", os.path.join(hunt, "doubled.c"), status=1)
    assert row["mode"] == "bugs" and row["diagnosis"], row


def a_folder_is_all_that_a_drill_needs(w):
    tree = w.path("tree")
    _copy(tree)
    before = len([name for name in _files() if re.fullmatch(r"labs/[^/]+/drill-[^/]+/drill.yaml", name)])
    assert "configuring build" in _configure(tree)
    assert _configure(tree) == "", "nothing changed, and yet it was configured again"
    assert not any("-13" in name for name in _targets(tree))

    shutil.copytree(DATA, os.path.join(tree, "labs/15-attention/drill-13-double"))
    assert "reconfiguring build" in _configure(tree), "a new drill folder was not noticed"
    targets = _targets(tree)
    assert {"call-13.o", "reference-13"} <= {os.path.basename(name) for name in targets}, targets
    _shell(tree, f"$(command -v ninja || command -v ninja-build) -C build --quiet -j 2 {' '.join(targets)}")

    world.LCX = os.path.join(tree, "build/lcx")
    rows = w.rows("drill", "list")
    assert len(rows) == before + 1, rows
    assert {"drill": "13", "title": "Double", "minutes": 1, "lab": "15"}.items() <= rows[-1].items(), rows[-1]
    assert "El doble" in w.run("drill", "list", LANGUAGE="es")[0]
    assert "twice every number" in " ".join(w.run("drill", "show", "13")[0].split())
    _is_proved(w)
    _is_sat(w)

    shutil.rmtree(os.path.join(tree, "labs/15-attention/drill-13-double"))
    assert "reconfiguring build" in _configure(tree), "a folder that went was not noticed"
    assert not any("-13" in name for name in _targets(tree))


run(globals())
