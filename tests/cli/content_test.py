#!/usr/bin/env python3
"""content_test.py LCX SOURCE BUILD -- lcx content check: what it finds in a copy that was spoiled."""
import os
import shutil

from world import SOURCE, run

_KINDS = ["drill", "lab", "round", "question", "brief", "paper", "story", "quiz", "page"]
_SCALE = "content/questions/01-sqrt-d.yaml"


def _copy(w):
    """A folder with labs/ and content/ of its own."""
    root = w.path("copy")
    for name in ("labs", "content"):
        shutil.copytree(os.path.join(SOURCE, name), os.path.join(root, name))
    return root


def _spoil(root, name, before, after):
    path = os.path.join(root, name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert before in text, (name, before)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(before, after, 1))


def _problems(w, root, kind):
    rows = {row["kind"]: row for row in w.rows("content", "check", root, status=1)}
    assert list(rows) == _KINDS, rows
    return rows[kind]["problems"]


def _says(problems, file, words):
    assert any(file in p["file"] and words in p["what"] for p in problems), problems


def one_file_tells_how_each_of_its_texts_scores(w):
    out, _ = w.run("content", "check", os.path.join(SOURCE, _SCALE))
    assert "en soup" in out and "es excellent" in out and "missing: " in out, out
    row, = w.rows("content", "check", os.path.join(SOURCE, _SCALE))
    assert row["kind"] == "question" and row["count"] == 1 and row["problems"] == []
    excellent = [t for t in row["texts"] if t["text"] == "excellent"]
    assert [t["language"] for t in excellent] == ["en", "es"]
    assert all(t["score"] >= 0.8 for t in excellent)
    assert w.rows("content", "check", os.path.join(SOURCE, _SCALE.replace(".yaml", ".anchors.yaml"))) == [row]


def a_file_that_is_none_of_ours_is_refused(w):
    for name in ("meson.build", "content/glossary.yaml", "src", "no-such-file"):
        w.run("content", "check", os.path.join(SOURCE, name), status=2)


def a_spoiled_question_is_named_with_its_node_and_language(w):
    root = _copy(w)
    _spoil(root, _SCALE, "lab: ", "lab: \"77\" #")
    problems = _problems(w, root, "question")
    _says(problems, _SCALE, "there is no lab 77")
    _spoil(root, _SCALE, "number: ", "nmber: ")
    _says(_problems(w, root, "question"), _SCALE, "nmber")
    os.remove(os.path.join(root, _SCALE))
    _says(_problems(w, root, "question"), "content/questions", "0 questions are numbered 01")


def pages_are_compared_and_their_links_followed(w):
    root = _copy(w)
    page = "content/es/landscape.md"
    with open(os.path.join(root, page), "a", encoding="utf-8") as file:
        file.write("\n## Otra más\n\n[nada](nowhere.md) y un taladro\n")
    problems = _problems(w, root, "page")
    _says(problems, page, "the English page has")
    _says(problems, page, "nowhere.md leads nowhere")
    _says(problems, page, '"taladro"')
    os.remove(os.path.join(root, page))
    _says(_problems(w, root, "page"), "content/en/landscape.md", "missing in this language")


def a_drill_without_its_spanish_is_a_problem(w):
    root = _copy(w)
    folder = "labs/15-attention/drill-01-attention"
    os.remove(os.path.join(root, folder, "notes.es.md"))
    _says(_problems(w, root, "drill"), folder, "No such file")


def nothing_is_made_in_the_users_home(w):
    w.run("content", "check", os.path.join(SOURCE, _SCALE))
    assert not os.path.exists(w.home)


if __name__ == "__main__":
    run(globals())
