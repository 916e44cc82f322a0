#!/usr/bin/env python3
"""Rounds and loops in the terminal: what is typed is kept, whatever happens; the clocks; the report."""
import glob
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from world import LCX, SOURCE, run


def _lessons(w):
    """The real labs beside the small content of the tests."""
    folder = w.path("lessons")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        os.symlink(os.path.join(SOURCE, "labs"), os.path.join(folder, "labs"))
        os.symlink(os.path.join(SOURCE, "tests/data/rounds/content"),
                   os.path.join(folder, "content"))
    w.env["LCX_CONTENT"] = folder


def _rows_of(w, sql):
    database = sqlite3.connect(os.path.join(w.home, "lynx-cortex.db"), timeout=20)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def _drafts(w):
    out = {}
    for path in glob.glob(os.path.join(w.home, "drafts", "*.md")):
        with open(path, encoding="utf-8") as file:
            out[os.path.basename(path)] = file.read()
    return out


def _one_running(w):
    assert _rows_of(w, "SELECT count(*) FROM round WHERE state = 'running'") == [(1,)]


# ---- one question ----

def an_answer_ends_with_a_dot_and_is_graded_and_confirmed(w):
    _lessons(w)
    out, _ = w.run("ask", "01", stdin="It is the alpha.\nAnd the gamma too.\n.\n2\n:q\n")
    assert "What about the root?" in out and "67 %" in out, out
    assert "“It is the alpha.”" in out and "A strong answer" in out, out
    [(text, score, confirmed, overtime)] = _rows_of(
        w, "SELECT text, score, confirmed, overtime FROM answer")
    assert text == "It is the alpha.\nAnd the gamma too.\n"
    assert score == 1 and json.loads(confirmed)["beta"] == "found", (score, confirmed)
    assert overtime == 0
    assert "Second branch?" in out, out  # beta was missed
    _one_running(w)


def lines_that_begin_with_a_colon_are_commands_only_when_they_are_one(w):
    _lessons(w)
    out, _ = w.run("ask", "02", stdin=":?\n:t\n:-) the alpha is short.\n:softmax is not\n.\n\n:q\n")
    assert ":q   leave" in out and re.search(r"^(9|10):\d\d$", out, re.M), out
    assert _rows_of(w, "SELECT text FROM answer") == [(":-) the alpha is short.\n:softmax is not\n",)]


def passing_over_stores_that_it_was_asked(w):
    _lessons(w)
    out, _ = w.run("ask", "02", stdin=".\n:s\n:s\n")
    assert "Nothing is written yet" in out, out
    assert _rows_of(w, "SELECT text, score FROM answer") == [("", 0), ("", 0)]
    assert _rows_of(w, "SELECT state FROM round") == [("done",)]
    assert "Debrief" in out and "0 % on average" in out, out


def what_is_left_goes_on_where_it_was(w):
    _lessons(w)
    w.run("ask", "01", stdin="The first line is kept.\n:q\n")
    assert list(_drafts(w).values()) == ["The first line is kept.\n"]
    begun = _rows_of(w, "SELECT started_ms, deadline_ms FROM step")
    out, _ = w.run("loop", "next", stdin="The alpha is second.\n.\n\n:q\n")
    assert "Your draft of 5 words is kept" in out and "The first line is kept." in out, out
    assert _rows_of(w, "SELECT text FROM answer") == [
        ("The first line is kept.\nThe alpha is second.\n",)]
    assert _drafts(w) == {}
    assert _rows_of(w, "SELECT started_ms, deadline_ms FROM step") == begun
    out, err = w.run("ask", "02", status=1)
    assert "the round ask is running" in err, err
    assert _rows_of(w, "SELECT count(*) FROM round") == [(1,)]
    w.run("round", "leave")
    _, err = w.run("loop", "next", status=1)
    assert "nothing is running" in err, err


def a_pause_takes_no_answer_and_no_time(w):
    _lessons(w)
    w.run("ask", "02", stdin=":p\nThe alpha was typed too early.\n.\n\n:q\n")
    assert _rows_of(w, "SELECT text FROM answer") == [("The alpha was typed too early.\n",)]
    _, err = w.run("loop", "next", stdin=":p\n")  # the input ends while it stands
    w.run("round", "leave")
    _, err = w.run("ask", "02", "--exam", stdin=":p\n:q\n")
    assert "an exam is not paused" in err, err


def bytes_that_are_no_text_cost_only_themselves(w):
    _lessons(w)
    done = subprocess.run([LCX, "ask", "02"], input=b"caf\xe9 and the alpha\r\n\x1b[31mred\x00\n.\r\n\n:q\n",
                          capture_output=True, env=w.env, cwd=w.folder, timeout=30)
    assert done.returncode == 0, done
    assert _rows_of(w, "SELECT text FROM answer") == [
        ("caf� and the alpha\n\x1b[31mred \n",)]
    assert b"\x1b[31m" not in done.stdout


# ---- the clock ----

def an_exams_zero_takes_what_is_there(w):
    _lessons(w)
    process = subprocess.Popen([LCX, "ask", "quick", "--exam", "--time-factor", "0.02"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=w.env,
                               cwd=w.folder, encoding="utf-8")
    process.stdin.write("The alpha was in time.\nhalf a li")
    process.stdin.flush()
    out = process.stdout.read()  # until it ends by itself
    assert process.wait(10) == 0, out
    process.stdin.close()
    process.stdout.close()
    assert "Time is over; what you had written is taken." in out, out
    [(text, overtime, late)] = _rows_of(
        w, "SELECT text, overtime, a.submitted_ms - s.deadline_ms FROM answer a JOIN step s"
           " ON s.round = a.round AND s.place = a.step")
    assert text == "The alpha was in time.\nhalf a li\n" and overtime == 0 and late == 0
    assert _rows_of(w, "SELECT state FROM round") == [("done",)]
    assert "100 %" in out, out
    assert _rows_of(w, "SELECT count(*) FROM review") == [(0,)]  # a rehearsal


def an_exams_zero_that_passed_while_nothing_ran_takes_the_draft(w):
    _lessons(w)
    w.run("ask", "quick", "--exam", "--time-factor", "0.02", stdin="The alpha is here.\n:q\n")
    time.sleep(1.3)
    w.run("loop", "next", stdin="too late\n.\n")
    assert _rows_of(w, "SELECT text, overtime FROM answer") == [("The alpha is here.\n", 0)]


def practice_goes_on_in_overtime_and_says_so(w):
    _lessons(w)
    w.run("ask", "quick", "--time-factor", "0.02", stdin=":q\n")
    time.sleep(1.3)
    out, _ = w.run("loop", "next", stdin="The alpha came late.\n.\n\n")
    assert "over" in out and "(overtime)" in out, out
    assert _rows_of(w, "SELECT text, overtime FROM answer") == [("The alpha came late.\n", 1)]


# ---- a design ----

def a_design_is_asked_estimated_and_written(w):
    _lessons(w)
    typed = ("What is the peak?\nassume the latency is two seconds\n:d\n"
             "users = 10M\nload = 1B\nshare = 4 s\n:d\n" + "The alpha is it.\n.\n\n" * 4)
    out, _ = w.run("design", "1", "--seed", "3", stdin=typed)
    assert "expected a number in GB, got 4 s" in out, out
    assert _rows_of(w, "SELECT state FROM round") == [("done",)]
    scores = _rows_of(w, "SELECT item, score FROM answer WHERE score IS NOT NULL ORDER BY step")
    assert [round(score, 3) for _, score in scores] == [0.25, 0.667, 1, 1, 1, 1], scores
    [(spent,)] = _rows_of(w, "SELECT started_ms + 8 * 60000 - deadline_ms FROM step WHERE place = 0")
    assert spent == 30000, spent


def a_part_that_has_its_answer_is_not_asked_twice(w):
    _lessons(w)
    w.run("design", "1", stdin="What is the peak?\n:d\n:q\n")
    database = sqlite3.connect(os.path.join(w.home, "lynx-cortex.db"))
    with database:  # as after dying between the answer and the end of its step
        database.execute("UPDATE step SET ended_ms = 0 WHERE place = 0")
        database.execute("UPDATE step SET started_ms = 0, deadline_ms = 0 WHERE place = 1")
    database.close()
    out, _ = w.run("loop", "next", stdin=":q\n")
    assert "Estimate, one line each" in out, out
    assert _rows_of(w, "SELECT count(*) FROM answer WHERE score IS NOT NULL") == [(1,)]


def a_card_that_was_left_in_the_middle_keeps_what_was_asked(w):
    _lessons(w)
    w.run("design", "1", stdin="What is the peak?\n")
    w.run("loop", "next", stdin="And the latency?\n:d\nusers = 10M\n")
    w.run("loop", "next", stdin="load = 1B\n:d\n:q\n")
    scores = _rows_of(w, "SELECT score FROM answer WHERE score IS NOT NULL ORDER BY step")
    assert [round(score, 3) for (score,) in scores] == [0.286, 0.667], scores


# ---- a phone round ----

def _tree_seed(w):
    """A seed that draws question 01, the one with five nodes."""
    for seed in range(20):
        w.run("round", "phone", "--lane", "c", "--seed", str(seed), stdin=":q\n")
        [(item,)] = _rows_of(w, "SELECT item FROM step WHERE place = 0")
        w.run("round", "leave")
        database = sqlite3.connect(os.path.join(w.home, "lynx-cortex.db"))
        with database:
            database.execute("PRAGMA foreign_keys = ON")
            database.execute("DELETE FROM round")
        database.close()
        if item == "question/01":
            return str(seed)
    raise AssertionError("no seed draws it")


def a_phone_round_is_a_question_and_a_drill_and_says_the_balance(w):
    _lessons(w)
    out, _ = w.run("round", "phone", "--lane", "c", "--seed", _tree_seed(w),
                   stdin=":s\n" * 4 + "hint\nwhat\ndone\ndone\n")
    assert "check, submit, watch, hint, task, done (gives it up)" in out, out
    assert "Time: " in out and "They count equally." in out, out
    rows = _rows_of(w, "SELECT kind, sitting IS NOT NULL, ended_ms > 0 FROM step ORDER BY place")
    assert rows == [("words", 0, 1), ("drill", 1, 1)], rows
    assert _rows_of(w, "SELECT state FROM sitting") == [("given-up",)]
    [(result,)] = _rows_of(w, "SELECT result FROM answer WHERE item LIKE 'drill/%'")
    assert json.loads(result)["state"] == "given-up", result


def an_exams_zero_hands_in_the_file_of_a_drill(w):
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        print("skipped: there is no compiler here")
        return
    _lessons(w)
    w.run("round", "coding", "--lane", "c", "--seed", "5", "--exam", "--time-factor", "0.02",
          stdin=":q\n")
    [(path, drill)] = _rows_of(w, "SELECT path, drill FROM sitting")
    right, = glob.glob(os.path.join(SOURCE, "tests/solutions", drill + "-*", "c"))
    right = sorted(glob.glob(os.path.join(right, "right-*.c")))[0]
    shutil.copy(right, path)
    database = sqlite3.connect(os.path.join(w.home, "lynx-cortex.db"))
    zero = int(time.time() * 1000) + 1500
    with database:  # half a minute of waiting is spared
        database.execute("UPDATE step SET deadline_ms = ? WHERE place = 0", (zero,))
        database.execute("UPDATE sitting SET deadline_ms = ?", (zero + 3,))
    database.close()
    process = subprocess.Popen([LCX, "loop", "next"], stdin=subprocess.PIPE, env=w.env,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=w.folder)
    end = time.monotonic() + 60
    while not _rows_of(w, "SELECT 1 FROM answer") and time.monotonic() < end:
        time.sleep(0.2)
    process.kill()
    said = process.communicate()[0].decode()
    assert _rows_of(w, "SELECT score, overtime FROM answer") == [(1.0, 0)], said
    assert _rows_of(w, "SELECT kind, verdict FROM attempt") == [("snapshot", "pass")], said


# ---- a loop ----

def _check_schema(w, *options):
    out, _ = w.run("loop", "report", "--json", *options)
    with open(os.path.join(SOURCE, "docs/packet.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    report = json.loads(out)
    try:
        import jsonschema
    except ImportError:
        print("skipped: the report is not validated without python3-jsonschema")
        return report
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(report, schema)
    return report


def a_loop_is_sat_round_by_round_and_reported(w):
    _lessons(w)
    w.run("loop", "start", "--track", "scientist", "--seed", "4", "--phone-lane", "c",
          "--time-factor", "0.9")
    _, err = w.run("loop", "start", status=1)
    assert "a loop is running already" in err, err
    report = _check_schema(w)
    assert report["weakest"] == [] and "score" not in report["rounds"][0]

    w.run("loop", "next", stdin="I am the alpha of it.\n.\n\n")                    # recruiter
    w.run("loop", "next", stdin="The <b>omega</b> is it.\n.\n\n" + ":s\n" * 4 + "done\ndone\n")  # phone
    w.run("round", "systems", status=0, stdin=":q\n")   # a round by itself, in between
    w.run("round", "leave")
    w.run("loop", "next", stdin=":q\n")                                             # systems
    w.run("round", "leave")
    for _ in range(4):
        out, _ = w.run("loop", "next", stdin=("The alpha is here.\n.\n\n") * 20)
    assert "The loop is complete" in out, out
    assert _rows_of(w, "SELECT state FROM packet") == [("done",)]
    report = _check_schema(w)
    assert [r["state"] for r in report["rounds"]] == ["done"] * 2 + ["abandoned"] + ["done"] * 4
    assert all(r["rehearsal"] for r in report["rounds"])
    assert report["rounds"][0]["score"] == 4 and report["rounds"][0]["share"] == 1
    assert len(report["weakest"]) >= 2 and report["weakest"][0]["score"] == 0
    manager = report["rounds"][6]["answers"]
    assert "What was missing:" in manager[0]["ask"], manager[0]["ask"]

    page, markdown = w.path("packet.html"), w.path("packet.md")
    w.run("loop", "report", "--html", page, "--markdown", markdown)
    assert os.stat(page).st_mode & 0o777 == 0o600
    with open(page, encoding="utf-8") as file:
        html = file.read()
    assert "default-src 'none'" in html and "<b>omega" not in html and "&lt;b&gt;omega" in html
    with open(markdown, encoding="utf-8") as file:
        assert file.read().startswith("# Interview packet: research scientist")
    out, _ = w.run("loop", "report")
    assert "Interview packet" in out
    out, _ = w.run("loop", "status")
    assert "Day 2" in out
    _, err = w.run("loop", "next", status=1)
    assert "nothing is running" in err


def a_loop_whose_last_round_was_left_can_be_closed(w):
    _lessons(w)
    w.run("loop", "start", "--phone-lane", "c")
    for _ in range(7):
        w.run("loop", "next", stdin=":q\n")
        w.run("round", "leave")
    out, _ = w.run("loop", "next")
    assert "The loop is complete" in out, out
    w.run("loop", "start")
    w.run("loop", "leave")
    _, err = w.run("loop", "leave", status=1)
    assert "no loop is running" in err, err
    _check_schema(w)


def it_is_sat_in_spanish_too(w):
    _lessons(w)
    out, _ = w.run("ask", "01", "--lang", "es", stdin="Es el alfa lo que decide.\n.\n\n:q\n")
    assert "¿Qué hay de la raíz?" in out and "dice alfa" in out and "50 %" in out, out
    w.run("loop", "next", "--lang", "en", stdin="Es el alfa.\n.\n\n:q\n")
    assert _rows_of(w, "SELECT score FROM answer ORDER BY place")[1] == (1.0,)  # stays Spanish
    w.run("round", "leave")
    w.run("loop", "start", "--lang", "es")
    report = _check_schema(w, "--lang", "es")
    assert report["language"] == "es"
    out, _ = w.run("loop", "report", "--lang", "es")
    assert "Nothing was seen" not in out


def a_round_names_the_labs_that_prepare_it(w):
    labs = [json.loads(line) for line in w.run("lab", "--json")[0].splitlines()]
    for line in w.run("round", "--list", "--json")[0].splitlines():
        row = json.loads(line)
        expected = [{"lab": lab["lab"], "what": p["what"]} for lab in labs
                    for p in lab["prepares"] if p["round"] == row["round"]]
        assert row["labs"] == expected, (row, expected)
    out, _ = w.run("round", "coding", "--list")
    assert "lab 33: drill 12" in out and "phone" not in out, out


def what_cannot_be_drawn_leaves_nothing_behind(w):
    _lessons(w)
    w.env["LCX_CONTENT"] = w.path("poor")
    os.mkdir(w.path("poor"))
    os.symlink(os.path.join(SOURCE, "labs"), w.path("poor/labs"))
    _, err = w.run("round", "systems", status=2)
    assert "there is no brief" in err, err
    assert _rows_of(w, "SELECT count(*) FROM round") == [(0,)]
    w.run("ask", "99", status=2)
    w.run("round", "lunch", status=2)


def lessons_that_changed_under_a_round_are_said(w):
    _lessons(w)
    w.run("design", "1", stdin=":q\n")
    w.env["LCX_CONTENT"] = SOURCE + "/tests/data/labs"
    out = subprocess.run([LCX, "loop", "next"], input="", capture_output=True, encoding="utf-8",
                         env=w.env, cwd=w.folder, timeout=30)
    assert out.returncode in (2, 3) and "lcx:" in out.stderr, out
    _one_running(w)


# ---- the data ----

def loops_travel_are_counted_swept_and_forgotten(w):
    _lessons(w)
    w.run("loop", "start", "--phone-lane", "c")
    w.run("loop", "next", stdin="I am the alpha.\n.\n\n")
    w.run("loop", "next", stdin="This is being written.\n")
    os.mkdir(os.path.join(w.home, "stories"))
    with open(os.path.join(w.home, "stories", "01-fire.md"), "w", encoding="utf-8") as file:
        file.write("# A fire\n")
    info, = w.rows("data", "info")
    assert (info["packets"], info["rounds"], info["answers"]) == (1, 7, 1), info
    assert (info["stories"], info["drafts"]) == (1, 1) and info["files_bytes"] > 20, info
    found, = [row for row in _doctor(w) if row["name"] == "files"]
    assert "stories 1, drafts 1" in found["detail"], found

    w.rows("data", "export", w.path("all.tar.gz"))
    gone, = w.rows("data", "forget", "--yes")
    assert (gone["packets"], gone["rounds"], gone["answers"], gone["stories"], gone["drafts"]) == \
        (1, 7, 1, 1, 1), gone
    assert not os.path.exists(os.path.join(w.home, "stories")) and _drafts(w) == {}
    back, = w.rows("data", "import", w.path("all.tar.gz"))
    assert {name: back[name] for name in gone if name != "action"} == \
        {name: gone[name] for name in gone if name != "action"}, back
    out, _ = w.run("loop", "next", stdin=":q\n")  # and it goes on
    assert "This is being written." in out, out

    pruned, = w.rows("data", "prune")
    assert pruned["drafts"] == 0 and len(_drafts(w)) == 1
    w.run("round", "leave")
    pruned, = w.rows("data", "prune")
    assert (pruned["drafts"], _drafts(w)) == (1, {}), (pruned, os.listdir(w.home + "/drafts"), _rows_of(w, "SELECT * FROM round WHERE started_ms > 0"))


# ---- two at once ----

def _spawn(w, *words):
    """lcx on a terminal of its own: (pid, descriptor)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(w.folder)
        os.execve(LCX, [LCX, *words], w.env)
    return pid, fd


def _until(fd, pattern, seconds=20):
    """What is written until the pattern is seen."""
    seen = b""
    end = time.monotonic() + seconds
    while not re.search(pattern, seen):
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            raise AssertionError(f"{pattern} not seen in {seen}")
        try:
            part = os.read(fd, 65536)
        except OSError:
            part = b""
        if not part:
            raise AssertionError(f"ended before {pattern}: {seen}")
        seen += part
    return seen.decode("utf-8", "replace")


def _rest(pid, fd):
    seen = b""
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode("utf-8", "replace")


def two_at_once_corrupt_nothing(w):
    _lessons(w)
    pid, fd = _spawn(w, "ask", "01")
    _until(fd, rb"\] > ")
    os.write(fd, b"Mine is the alpha.\n")
    _until(fd, rb"\] > ")
    _, err = w.run("loop", "next", status=1, stdin="not mine\n.\n")
    assert "being sat in another terminal" in err, err
    _, err = w.run("ask", "02", status=1)
    assert "is running" in err, err
    assert _rows_of(w, "SELECT count(*) FROM answer") == [(0,)]

    w.run("round", "leave")  # under its feet
    os.write(fd, b".\n")
    status, said = _rest(pid, fd)
    assert status == 3 and "changed by another lcx" in said, (status, said)
    assert list(_drafts(w).values()) == ["Mine is the alpha.\n"]  # nothing is lost
    assert _rows_of(w, "SELECT state FROM round") == [("abandoned",)]

    many = [subprocess.Popen([LCX, "ask"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env=w.env, cwd=w.folder) for _ in range(6)]
    assert sorted(process.wait(30) for process in many).count(0) >= 1
    _one_running(w)
    assert _rows_of(w, "SELECT count(*) FROM round WHERE state = 'planned'") == [(0,)]
    assert _rows_of(w, "PRAGMA integrity_check") == [("ok",)]


def ctrl_c_leaves_as_q_does(w):
    _lessons(w)
    pid, fd = _spawn(w, "ask", "01")
    _until(fd, rb"\] > ")
    os.write(fd, b"The alpha is kept.\n")
    _until(fd, rb"\] > ")
    os.write(fd, b"and half a li")
    time.sleep(0.2)
    os.write(fd, b"\x03")
    status, said = _rest(pid, fd)
    assert status == -signal.SIGINT and "everything is kept" in said, (status, said)
    assert list(_drafts(w).values()) == ["The alpha is kept.\nand half a li\n"]
    _one_running(w)


# ---- kill -9 ----

def _moments(w):
    return {(r, p): (started, deadline) for r, p, kind, started, deadline in _rows_of(
        w, "SELECT round, place, kind, started_ms, deadline_ms FROM step WHERE started_ms > 0")
        if kind != "cards"}  # asking takes time off those


class _Candidate:
    """Types whatever fits the prompt, every line different, and remembers what was taken."""

    def __init__(self, rng):
        self.rng, self.n, self.taken, self.flying = rng, 0, [], None
        self.has_text = False

    def line(self, seen):
        self.n += 1
        if "Is that what you said" in seen:
            self.has_text = False
            return "", None
        if seen.endswith("? > "):
            return (":d", None) if self.rng.random() < 0.2 else (f"What is the peak {self.n}?",) * 2
        if seen.endswith("= > "):
            return (":d", None) if self.rng.random() < 0.2 else (f"users = {10 + self.n}",) * 2
        if self.has_text and self.rng.random() < 0.3:
            self.has_text = False
            return ".", None
        self.has_text = True
        return (f"Line {self.n} is about the alpha.",) * 2

    def live(self, w, words, seconds):
        """Sit until `seconds` are over, then die. False when it ended before."""
        pid, fd = _spawn(w, *words)
        end = time.monotonic() + seconds
        seen, alive = "", True
        self.has_text = False
        try:
            while alive:
                left = end - time.monotonic()
                if left <= 0 or not select.select([fd], [], [], left)[0]:
                    break
                try:
                    part = os.read(fd, 65536)
                except OSError:
                    part = b""
                alive = bool(part)
                seen += part.decode("utf-8", "replace")
                if seen.endswith("> "):
                    if self.flying:  # the next prompt came: it was taken
                        self.taken.append(self.flying)
                    typed, self.flying = self.line(seen[-400:])
                    seen = ""
                    os.write(fd, typed.encode() + b"\n")
        finally:
            os.kill(pid, signal.SIGKILL)
            os.close(fd)
            os.waitpid(pid, 0)
            self.flying = None  # it may or may not have been taken
        return not alive


def kill_9_at_any_moment_loses_nothing(w):
    _lessons(w)
    seed = int(os.environ.get("LOOP_SEED", random.randrange(1 << 32)))
    print(f"      seed {seed}")
    rng = random.Random(seed)
    candidate = _Candidate(rng)
    end = time.monotonic() + 13
    moments, deaths, answers = {}, 0, 0
    w.run("loop", "status", status=1)
    running = None
    while time.monotonic() < end:
        if running:
            words = ("loop", "next")
        else:
            words = rng.choice((("ask", "01"), ("design", "1"), ("ask", "02", "--exam")))
        candidate.live(w, words, rng.choice((0.03, 0.1, 0.4)) * rng.random() + 0.004)
        deaths += 1

        assert _rows_of(w, "PRAGMA integrity_check") == [("ok",)]
        assert _rows_of(w, "PRAGMA foreign_key_check") == []
        [(n_running,)] = _rows_of(w, "SELECT count(*) FROM round WHERE state = 'running'")
        assert n_running <= 1
        now = _moments(w)
        for key, value in moments.items():
            assert now.get(key) == value, (key, value, now.get(key))
        moments = now
        [(n,)] = _rows_of(w, "SELECT count(*) FROM answer")
        assert n >= answers
        answers = n
        kept = "\n".join([text for (text,) in _rows_of(w, "SELECT text FROM answer")]
                         + list(_drafts(w).values()))
        lines = set(kept.split("\n"))
        lost = [line for line in candidate.taken if line not in lines]
        assert not lost, lost
        doubled = _rows_of(w, "SELECT round, step, item, count(*) FROM answer WHERE item NOT LIKE"
                             " 'brief/1/clarify' AND item NOT LIKE 'brief/1/estimate'"
                             " GROUP BY 1, 2, 3 HAVING count(*) > 1")
        assert doubled == [], doubled
        running = n_running == 1
    print(f"      {deaths} deaths, {len(candidate.taken)} lines, {answers} answers")
    assert deaths > 20 and len(candidate.taken) > 50 and answers > 10
    _doctor_finds_it_sound(w)
    if running:
        w.run("loop", "next", stdin=":q\n")


def _doctor(w):
    done = subprocess.run([LCX, "doctor", "--json"], capture_output=True, encoding="utf-8",
                          env=w.env, cwd=w.folder, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _doctor_finds_it_sound(w):
    assert [row["ok"] for row in _doctor(w) if row["name"] == "integrity"] == [True]


run({name: test for name, test in globals().items() if not sys.argv[4:] or name in sys.argv[4:]})
