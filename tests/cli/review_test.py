#!/usr/bin/env python3
"""review_test.py LCX SOURCE BUILD -- lcx review: what is due is asked, graded, rated and kept."""
import os
import shutil
import signal
import sqlite3
import subprocess
import time

from world import LCX, SOURCE, run

_CARDS = """\
cards:
  - name: softmax-shift
    area: maths
    lab: "15"
    ask: {en: What does adding a number to all inputs of a softmax change?, es: ¿Qué cambia sumar un número a todas las entradas de una softmax?}
    answer: {en: Nothing changes., es: No cambia nada.}
    found: {en: ['(nothing|unchanged)'], es: ['(nada|no cambia)']}
    from: ""
    value: 0
    source: ""
  - name: bits-of-256
    area: maths
    lab: "26"
    ask: {en: How many bits count to 256 values?, es: ¿Cuántos bits cuentan 256 valores?}
    answer: {en: 8 bits., es: 8 bits.}
    found: {en: ['#8'], es: ['#8']}
    from: log2(256)
    value: 8
    source: ""
  - name: mean-of-a-coin
    area: statistics
    lab: ""
    ask: {en: The variance of a fair coin that shows 0 or 1?, es: ¿La varianza de una moneda justa que da 0 o 1?}
    answer: {en: 0.25., es: 0.25.}
    found: {en: ['#0.25'], es: ['#0.25']}
    from: 0.5*(1-0.5)
    value: 0.25
    source: ""
"""
_DAY = 86400000


def _content(w):
    """The content with three cards and the first question, and nothing else."""
    folder = w.path("share")
    os.makedirs(os.path.join(folder, "content", "questions"))
    os.symlink(os.path.join(SOURCE, "labs"), os.path.join(folder, "labs"))
    for name in ("01-sqrt-d.yaml", "01-sqrt-d.anchors.yaml"):
        shutil.copy(os.path.join(SOURCE, "content", "questions", name),
                    os.path.join(folder, "content", "questions", name))
    with open(os.path.join(folder, "content", "quiz.yaml"), "w", encoding="utf-8") as file:
        file.write(_CARDS)
    w.env["LCX_CONTENT"] = folder


def _ask(w, sql):
    database = sqlite3.connect(os.path.join(w.home, "lynx-cortex.db"))
    try:
        rows = database.execute(sql).fetchall()
        database.commit()
        return rows
    finally:
        database.close()


def _ratings(w):
    return dict(_ask(w, "SELECT item, rating FROM review ORDER BY reviewed_ms"))


def _days_go_by(w, days):
    _ask(w, f"UPDATE review SET day = day - {days}, reviewed_ms = reviewed_ms - {days * _DAY}")
    _ask(w, f"UPDATE answer SET submitted_ms = submitted_ms - {days * _DAY},"
            f" started_ms = started_ms - {days * _DAY}")


def cards_are_rated_by_how_they_were_found(w):
    _content(w)
    out, _ = w.run("review", "--cards", stdin="nothing\n\n" "9\n8 bits\n\n" "\n\n")
    assert _ratings(w) == {"card/softmax-shift": 4, "card/bits-of-256": 2, "card/mean-of-a-coin": 1}
    assert "A clue: · b···." in out and "The answer: 0.25." in out, out
    assert _ask(w, "SELECT item, score FROM answer ORDER BY step") == [
        ("card/softmax-shift", 1.0), ("card/bits-of-256", 0.5), ("card/mean-of-a-coin", 0.0)]
    assert "Nothing is due here" in w.run("review")[0]


def a_rating_is_lowered_and_never_raised(w):
    _content(w)
    # the dot ends a card's answer as it ends a long one; 3 and x are not below Hard
    w.run("review", "--cards", stdin="nothing\n2\n" "9\n8\n3\nx\n1\n" "0.25\n.\n")
    assert _ratings(w) == {"card/softmax-shift": 2, "card/bits-of-256": 1, "card/mean-of-a-coin": 4}
    assert _ask(w, "SELECT derived FROM review ORDER BY reviewed_ms") == [(4,), (2,), (4,)]


def leaving_keeps_what_was_answered(w):
    _content(w)
    out, _ = w.run("review", stdin="nothing\n\n:q\n")
    assert "what was answered is kept" in out
    assert list(_ratings(w)) == ["card/softmax-shift"]
    assert _ask(w, "SELECT count(*) FROM round WHERE state = 'running'") == [(0,)]
    # the input that simply ends is the same, and one that ends at the rating has been rated
    w.run("review", stdin="8\n")
    assert _ratings(w) == {"card/softmax-shift": 4, "card/bits-of-256": 4}
    # passed over: not rated, asked another time
    w.run("review", stdin=":s\n")
    assert len(_ratings(w)) == 2
    assert [row["item"] for row in w.rows("review")[:-1]] == ["card/mean-of-a-coin"]


def what_a_question_asked_comes_back_by_itself(w):
    _content(w)
    w.run("ask", "01", stdin="Because of variance.\n.\n\n:s\n:q\n")
    w.run("round", "leave")
    assert [row["what"] for row in w.rows("review")[:-1]] == ["card"] * 3
    _days_go_by(w, 3)
    rows = w.rows("review")
    due = {row["item"]: row for row in rows if row["kind"] == "review"}
    assert due["question/01/0"]["what"] == "question" and 0 < due["question/01/0"]["recall"] < 0.9
    assert any(row["what"] == "node" for row in due.values())
    assert rows[0]["kind"] == "review" and rows[-1]["kind"] == "sitting"
    recalls = [row["recall"] for row in rows if row["kind"] == "review"]
    assert recalls == sorted(recalls)
    assert all(row["what"] == "card" for row in w.rows("review", "--cards")[:-1])
    assert [row["minutes"] for row in w.rows("review", "--cards", "--minutes", "2")] == [1, 1, 2]

    before = len(_ask(w, "SELECT * FROM review"))
    out, _ = w.run("review", "--minutes", "60", stdin="I do not know.\n.\n:q\n")
    assert "Why attention divides by sqrt(d)" in out and "not found" in out, out
    assert "A strong answer" in out and "Rated again" in out
    assert len(_ask(w, "SELECT * FROM review")) == before + 1
    assert _ask(w, "SELECT score FROM answer WHERE text LIKE 'I do not%'") == [(0.0,)]


def a_whole_answer_is_graded_and_a_follow_up_comes_along(w):
    _content(w)
    w.run("ask", "01", stdin="Because of variance.\n.\n\n:q\n")
    w.run("round", "leave")
    _days_go_by(w, 3)
    assert [row["item"] for row in w.rows("review") if row["kind"] == "review"] == ["question/01/0"]
    anchors = os.path.join(SOURCE, "content", "questions", "01-sqrt-d.anchors.yaml")
    with open(anchors, encoding="utf-8") as file:
        text = file.read().split("excellent: |\n")[1].split("\nes:")[0]
    out, _ = w.run("review", stdin=text + "\n.\n2\n:q\n")
    rating, derived = _ask(w, "SELECT rating, derived FROM review ORDER BY reviewed_ms DESC")[0]
    assert rating == 2 and derived >= 3, (rating, derived, out)
    assert "[2/" in out  # the follow-up
    rows = {row["round"]: row for row in w.rows("progress") if row["kind"] == "round"}
    assert len(rows) == 8 and rows["phone"]["tried"] == 1 and rows["recruiter"]["tried"] == 0
    assert rows["phone"]["low"] < rows["phone"]["readiness"] < rows["phone"]["high"]


def killed_it_goes_on_where_it_was(w):
    _content(w)
    child = subprocess.Popen([LCX, "review"], env=w.env, cwd=w.folder, stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL)
    child.stdin.write(b"nothing\n")
    child.stdin.flush()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if _ratings(w):
                break
        except sqlite3.OperationalError:
            pass
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    rows = w.rows("today")
    assert rows[0] == {"kind": "round", "round": "review", "command": "lcx review"}
    out, _ = w.run("review", stdin=":s\n8\n\n:q\n")
    assert "cut off" in out and "[2/3]" in out and "[3/3]" in out, out
    assert "card/softmax-shift" in _ratings(w)
    assert _ask(w, "SELECT count(*) FROM round WHERE state = 'running'") == [(0,)]


def a_running_round_comes_first(w):
    _content(w)
    w.run("loop", "start", "--track", "engineer")
    w.run("ask", "01", stdin="")
    rows = w.rows("today")
    assert [row["kind"] for row in rows[:2]] == ["loop", "round"]
    assert rows[0]["rounds"] == 7 and rows[0]["command"] == "lcx loop next"
    out, _ = w.run("today")
    assert out.index("lcx loop next") < out.index("New"), out
    _, err = w.run("review", status=1)
    assert "lcx loop next" in err


def what_will_not_fit_before_the_date_is_said(w):
    _content(w)
    w.run("review", "--cards", "--minutes", "1", stdin="nothing\n\n")
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() + 4 * 86400))
    w.run("config", "set", "interview-date", day)
    out, _ = w.run("today")
    assert "Will not fit twice before the interview: drill" in " ".join(out.split()), out
    assert w.rows("today")[-1]["unfit"] > 5
    out = " ".join(w.run("progress")[0].split())
    assert "Recall on that day" in out and "if you keep to the plan" in out, out
    phone = [row for row in w.rows("progress") if row.get("round") == "phone"][0]
    assert phone["seen"] == 0 and phone["seen_if_kept"] > 0 and phone["recall_if_kept"] > 0.5
    memory = {row["of"]: row for row in w.rows("progress") if row["kind"] == "memory"}
    assert memory["cards"]["seen"] == 1 and memory["cards"]["items"] == 3
    assert memory["questions"] == {"kind": "memory", "of": "questions", "items": 1, "seen": 0}


def options_are_read_and_spanish_is_whole(w):
    _content(w)
    for words in (["--minutes", "0"], ["--minutes", "x"], ["word"]):
        w.run("review", *words, status=2)
    out, _ = w.run("--lang", "es", "review", stdin="nada\n\n:q\n")
    assert "¿Qué cambia" in out and "Encontrado" in out and "Rated" not in out, out
    for words in (["today"], ["progress"], ["review", "--help"]):
        for language in ("en", "es"):
            out, _ = w.run("--lang", language, *words)
            longest = max(out.split("\n"), key=len)
            assert len(longest) <= 80, longest


if __name__ == "__main__":
    run(globals())
