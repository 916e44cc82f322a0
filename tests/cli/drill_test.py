#!/usr/bin/env python3
"""drill_test.py LCX SOURCE BUILD -- a drill sat as a user sits it: files, clocks, verdicts, crashes."""
import json
import os
import random
import shutil
import signal
import subprocess
import time

from world import LCX, SOURCE, World, run

DRILL = os.path.join(SOURCE, "labs/15-attention/drill-01-attention")
NO_SCALE = ("q @ k.swapaxes(-1, -2) / np.sqrt(D).astype(q.dtype)", "q @ k.swapaxes(-1, -2)")


def _reference(lane):
    suffix = {"c": "c", "numpy": "numpy.py", "torch": "torch.py"}[lane]
    with open(os.path.join(DRILL, "reference." + suffix)) as file:
        return file.read()


def _has(w, lane):
    return lane in w.rows("drill", "list")[0]["lanes"]


def _validate(row):
    try:
        import jsonschema
    except ImportError:
        print("skipped: result.json is not validated without python3-jsonschema")
        return
    with open(os.path.join(SOURCE, "docs/result.schema.json")) as file:
        jsonschema.validate(row, json.load(file))


def the_name_of_a_case_is_spanish_in_words_and_english_in_result_json(w):
    if not _has(w, "c"):
        print("skipped: there is no compiler here")
        return
    starter = os.path.join(DRILL, "starter.c")
    out, _ = w.run("--lang", "es", "drill", "check", "01", starter, status=1)
    assert "caso «un solo token»: out[" in out, out
    assert "que falla: «un solo token»\n" in out and "one token" not in out, out
    row, = w.rows("--lang", "es", "drill", "check", "01", starter, status=1)
    assert row["findings"][0]["case"] == row["failing_input"]["case"] == "one token", row
    assert row["summary"].startswith("caso «un solo token»"), row["summary"]
    out, _ = w.run("drill", "check", "01", starter, status=1)
    assert 'case "one token": out[' in out and 'failing input: "one token"\n' in out, out


def a_right_solution_passes_and_without_the_scale_the_words_name_it(w):
    if not _has(w, "numpy"):
        print("skipped: NumPy is not here")
        return
    w.run("drill", "start", "01", "--lang", "numpy")
    path = w.path("attention.py")
    out, _ = w.run("drill", "submit", "01", status=1)
    assert "FAIL" in out and "NotImplementedError" in out, out
    source = _reference("numpy")
    assert NO_SCALE[0] in source
    with open(path, "w") as file:
        file.write(source.replace(*NO_SCALE))
    out, _ = w.run("drill", "submit", "01", status=1)
    assert "without the factor 1/sqrt(D)" in " ".join(out.split()), out
    out, _ = w.run("drill", "submit", "01", "--lang", "numpy", status=1, LANGUAGE="es")
    assert "sin el factor 1/sqrt(D)" in " ".join(out.split()), out
    with open(path, "w") as file:
        file.write(source)
    out, _ = w.run("drill", "submit", "01")
    assert out.startswith("PASS"), out
    history = w.rows("drill", "history", "01")
    assert [row["verdict"] for row in history] == ["pass", "fail", "fail", "fail"]
    assert history[1]["diagnosis"] == "no-scale"
    before, _ = w.run("drill", "history", "--source", history[1]["id"])
    assert before == source.replace(*NO_SCALE)


def every_verdict_is_a_valid_result_json(w):
    for lane, name in (("c", "a.c"), ("numpy", "a.py"), ("torch", "a.py")):
        if not _has(w, lane):
            continue
        for source, verdict, status in (
            (_reference(lane), "pass", 0),
            ("", "fail", 1),
            ("#include \"attention.h\"\nvoid attention(float *o, const float *q, const float *k, const float *v,"
             " const bool *m, bool c, int B, int H, int T, int D) { o[0] = 1; }\n" if lane == "c" else
             "def attention(q, k, v, c, m):\n    return q * float('nan')\n", "fail", 1),
            ("#include \"attention.h\"\nvoid attention(float *o, const float *q, const float *k, const float *v,"
             " const bool *m, bool c, int B, int H, int T, int D) { for (;;) o[0] = 1; }\n" if lane == "c" else
             "def attention(q, k, v, c, m):\n    while True: print('x' * 999)\n", "limit", 1),
        ):
            with open(w.path(name), "w") as file:
                file.write(source)
            (row,) = w.rows("drill", "submit", "01", name, "--lang", lane, status=status)
            _validate(row)
            assert row["verdict"] == verdict, row


def the_same_seed_grades_the_same_way(w):
    with open(w.path("a.c"), "w") as file:
        file.write(_reference("c").replace("1.0f / sqrtf((float)D)", "1.0f / (float)D"))
    rows = [w.rows("drill", "submit", "01", "a.c", "--seed", "77", status=1)[0] for _ in range(2)]
    assert rows[0]["findings"] == rows[1]["findings"] and rows[0]["seed"] == 77
    assert rows[0]["diagnosis"] == "scale-by-d"


def an_exam_tells_the_category_and_gives_no_hint(w):
    w.run("drill", "start", "01", "--lang", "c", "--exam")
    w.run("drill", "hint", "01", status=1)
    w.run("drill", "pause", "01", status=1)
    w.run("drill", "notes", "01", status=1)
    with open(w.path("attention.c"), "w") as file:
        file.write(_reference("c").replace("1.0f / sqrtf((float)D)", "1.0f / (float)D"))
    out, _ = w.run("drill", "submit", "01", status=1)
    assert '"numbers"' in out and "sqrt" not in out and "expected" not in out, out
    (row,) = w.rows("drill", "submit", "01", status=1)
    _validate(row)
    assert row["diagnosis"] is None and row["failing_input"] is None


def starting_never_overwrites(w):
    with open(w.path("attention.c"), "w") as file:
        file.write("mine")
    _, err = w.run("drill", "start", "01", "--lang", "c", status=1)
    assert "not overwritten" in err and "--dir" in err, err
    with open(w.path("attention.c")) as file:
        assert file.read() == "mine"
    assert w.rows("drill", "history") == []
    w.run("drill", "start", "01", "--lang", "c", "--dir", "elsewhere")
    assert os.path.exists(w.path("elsewhere/attention.h"))


def a_bug_hunt_is_different_each_time_and_says_what_is_still_in(w):
    seen = []
    for i in range(3):
        (row,) = w.rows("drill", "start", "01", "--lang", "c", "--mode", "bugs", "--dir", f"hunt{i}")
        with open(row["file"]) as file:
            seen.append(file.read())
        (result,) = w.rows("drill", "submit", "01", status=1)
        assert result["mode"] == "bugs" and result["diagnoses"], result
        w.run("drill", "reset", "01")
    assert seen[0] != seen[1] and seen[1] != seen[2]


def wrong_use_is_answered_with_what_to_do(w):
    for words, hint in (
        (["drill", "submit", "99"], "there is no drill 99"),
        (["drill", "submit", "01"], "lcx drill start 01"),
        (["drill", "submit", "01", "absent.c"], "no such file"),
        (["drill", "start", "01"], "--lang"),
        (["drill", "start", "01", "--lang", "rust"], "c|numpy|torch"),
        (["drill", "start", "01", "--lang", "c", "--time-factor", "9"], "3"),
    ):
        _, err = w.run(*words, status=2)
        assert hint in err, err
    with open(w.path("huge.c"), "wb") as file:
        file.write(b"/" * (2 << 20))
    w.run("drill", "submit", "01", "huge.c", status=1)
    with open(w.path("nul.c"), "wb") as file:
        file.write(b"int x;\0")
    w.run("drill", "submit", "01", "nul.c", status=3)


def _children_of(folder):
    """Processes that mention the world's folder in their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if folder.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def kill_9_at_any_moment_loses_no_attempt_and_leaves_nothing_running(w):
    generator = random.Random(20)
    with open(w.path("a.c"), "w") as file:
        file.write(_reference("c"))
    w.run("drill", "list")
    stored = 0
    for _ in range(12):
        child = subprocess.Popen([LCX, "drill", "submit", "01", "a.c"], env=w.env, cwd=w.folder,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(generator.uniform(0.005, 0.25))
        child.send_signal(signal.SIGKILL)
        child.wait()
        history = w.rows("drill", "history", "01")
        assert len(history) - stored in (0, 1)
        stored = len(history)
        assert all(row["state"] in ("interrupted", "done") for row in history), history
    assert stored > 0
    for row in w.rows("drill", "history", "01"):
        source, _ = w.run("drill", "history", "--source", row["id"])
        assert source == _reference("c")
    deadline = time.time() + 5
    while _children_of(w.folder) and time.time() < deadline:
        time.sleep(0.05)
    assert not _children_of(w.folder)
    (row,) = w.rows("drill", "submit", "01", "a.c")
    assert row["verdict"] == "pass"


def two_at_once_corrupt_nothing(w):
    with open(w.path("a.c"), "w") as file:
        file.write(_reference("c"))
    children = [subprocess.Popen([LCX, "drill", "submit", "01", "a.c", "--json"], env=w.env, cwd=w.folder,
                                 stdout=subprocess.PIPE) for _ in range(4)]
    assert all(json.loads(child.communicate()[0])["verdict"] == "pass" for child in children)
    assert len(w.rows("drill", "history", "01")) == 4


def no_request_leaves_the_machine(w):
    if not shutil.which("strace"):
        print("skipped: strace is not here")
        return
    with open(w.path("a.c"), "w") as file:
        file.write(_reference("c"))
    for words in (["today"], ["drill", "list"], ["drill", "submit", "01", "a.c"], ["doctor"], ["progress"],
                  ["lab"], ["data", "info"]):
        log = w.path("trace")
        subprocess.run(["strace", "-f", "-qq", "-e", "trace=socket,connect,sendto,sendmsg", "-o", log, LCX, *words],
                       env=w.env, cwd=w.folder, stdout=subprocess.DEVNULL, check=True)
        with open(log) as file:
            internet = [line[:200] for line in file if "AF_INET" in line]
        assert not internet, (words, internet[:3])


run(globals())
