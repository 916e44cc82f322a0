#!/usr/bin/env python3
"""zero_test.py LCX SOURCE BUILD -- clocks that reach zero while nothing runs: the next command takes the work."""
import contextlib
import os
import signal
import sqlite3
import subprocess
import time

from world import LCX, SOURCE, run

MINUTE = 60 * 1000


def _reference(lane="c"):
    with open(os.path.join(SOURCE, "labs/15-attention/drill-01-attention/reference." + lane)) as file:
        return file.read()


def _start(w, *words):
    w.run("drill", "start", "01", "--lang", "c", "--no-editor", *words)
    return w.path("attention.c")


def _data(w, sql, *values):
    with contextlib.closing(sqlite3.connect(os.path.join(w.home, "lynx-cortex.db"))) as data, data:
        return data.execute(sql, values).fetchall()


def _passed(w, minutes):
    """Zero was so many minutes ago; returns it, in seconds."""
    now_ms = int(time.time() * 1000)
    _data(w, "UPDATE sitting SET deadline_ms = ?1 - ?2, started_ms = ?1 - ?2 - 20 * ?3"
             " WHERE state = 'running'", now_ms, minutes * MINUTE, MINUTE)
    return (now_ms - minutes * MINUTE) / 1000


def _write(path, source, at):
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    os.utime(path, (at, at))


def _state(w):
    return _data(w, "SELECT state FROM sitting ORDER BY rowid DESC")[0][0]


def _wrong(source):
    assert "1.0f / sqrtf((float)D)" in source
    return source.replace("1.0f / sqrtf((float)D)", "1.0f / (float)D")


def an_exam_is_decided_by_the_file_that_stood_still_since_zero(w):
    path = _start(w, "--exam")
    zero = _passed(w, 30)
    _write(path, _reference(), zero - 1)
    out, err = w.run("today")
    assert "graded as your snapshot" in err and "snapshot at zero: passed" in err, err
    assert _state(w) == "passed", out
    (row,) = w.rows("drill", "history", "01")
    assert row["kind"] == "snapshot" and row["counts"] and row["elapsed_ms"] == 20 * MINUTE, row
    assert _data(w, "SELECT submitted_ms - deadline_ms, ended_ms - deadline_ms, rating FROM attempt, sitting, review"
                 ) == [(0, 0, 3)]
    source, _ = w.run("drill", "history", "--source", row["id"])
    assert source == _reference()
    assert w.run("today")[1] == ""  # once


def an_exam_whose_work_at_zero_fails_has_failed_on_any_verb_of_the_drill(w):
    for words in (["drill", "show", "01"], ["drill", "list"], ["drill", "history"], ["progress"]):
        w.done()
        os.mkdir(w.folder)
        path = _start(w, "--exam")
        _write(path, _wrong(_reference()), _passed(w, 3 * 24 * 60) - 60)
        _, err = w.run(*words)
        assert "snapshot at zero: failed" in err, (words, err)
        assert _state(w) == "failed", words


def help_and_version_and_settings_leave_it_alone(w):
    path = _start(w, "--exam")
    _write(path, _reference(), _passed(w, 30) - 1)
    for words in (["help"], ["--version"], ["drill", "--help"], ["config"], ["lab"], ["data", "info"]):
        _, err = w.run(*words)
        assert "zero" not in err, err
    assert _state(w) == "running" and not _data(w, "SELECT 1 FROM attempt")


def an_exam_written_after_zero_keeps_its_last_submission_or_expires(w):
    path = _start(w, "--exam")
    with open(path, "w", encoding="utf-8") as file:
        file.write(_wrong(_reference()))
    w.run("drill", "submit", "01", status=1)
    zero = _passed(w, 30)
    _data(w, "UPDATE attempt SET submitted_ms = ?", int(zero * 1000) - MINUTE)
    _write(path, _reference(), zero + 1)
    _, err = w.run("drill", "hint", "01", status=2)
    written = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(zero + 1))
    assert f"last written after that, at {written}" in err and "your last submission before zero stands" in err, err
    assert _state(w) == "failed"

    w.run("drill", "start", "01", "--lang", "c", "--exam", "--no-editor", "--dir", "other")
    _passed(w, 30)
    _, err = w.run("today")
    assert "nothing had been submitted before zero" in err, err
    assert _state(w) == "expired"
    assert [row["kind"] for row in w.rows("drill", "history", "01")] == ["submit"]


def practice_written_after_zero_goes_on_and_says_so_until_it_is_seen(w):
    path = _start(w)
    zero = _passed(w, 30)
    _write(path, _wrong(_reference()), zero + 60)
    for _ in range(2):
        _, err = w.run("today")
        assert "There is no snapshot. You go on in overtime." in err, err
    _, err = w.run("drill", "check", "01", status=1)
    assert "There is no snapshot" in err
    _, err = w.run("today")
    assert "snapshot" not in err, err
    _write(path, _reference(), zero + 90)
    w.run("drill", "submit", "01")
    assert _state(w) == "passed"
    assert _data(w, "SELECT rating FROM review") == [(2,)]  # Hard: over time


def practice_that_stood_still_is_graded_and_goes_on(w):
    path = _start(w)
    _write(path, _wrong(_reference()), _passed(w, 30) - 1)
    _, err = w.run("drill", "show", "01")
    assert "snapshot at zero: failed" in err and _state(w) == "running", err
    _write(path, _reference(), time.time())
    w.run("drill", "submit", "01")
    assert [row["kind"] for row in w.rows("drill", "history", "01")] == ["submit", "snapshot"]
    assert _data(w, "SELECT rating FROM review") == [(2,)]


def a_rehearsal_runs_the_same_way_and_counts_nothing(w):
    path = _start(w, "--exam", "--time-factor", "0.02")
    _write(path, _reference(), time.time() - 120)
    now_ms = int(time.time() * 1000)
    _data(w, "UPDATE sitting SET deadline_ms = ?1 - 6000, started_ms = ?1 - 30000", now_ms)
    _, err = w.run("today")
    assert "snapshot at zero: passed" in err, err
    assert _state(w) == "passed" and not _data(w, "SELECT 1 FROM review")


def the_first_seconds_after_zero_belong_to_a_watcher(w):
    path = _start(w, "--exam")
    _write(path, _reference(), _passed(w, 0) - 1)
    _data(w, "UPDATE sitting SET deadline_ms = ?", int(time.time() * 1000) - 200)
    assert w.run("today")[1] == ""
    assert _state(w) == "running"


def a_file_that_has_vanished_ends_an_exam_and_loses_no_submission(w):
    path = _start(w, "--exam")
    _passed(w, 30)
    os.remove(path)
    _, err = w.run("today")
    assert "cannot be read now" in err and path in err and "nothing had been submitted" in err, err
    assert _state(w) == "expired"
    path = _start(w, "--dir", "practice") and w.path("practice/attention.c")
    _passed(w, 30)
    os.remove(path)
    os.mkdir(path)  # not a file any more
    _, err = w.run("today")
    assert "cannot be read now" in err and "overtime" in err, err
    assert _state(w) == "running"
    _passed(w, 25 * 60)
    _, err = w.run("today")
    assert "Its overtime has ended, too." in err and _state(w) == "expired", err


def kill_9_while_it_is_graded_loses_nothing(w):
    path = _start(w, "--exam")
    _write(path, _reference(), _passed(w, 30) - 1)
    child = subprocess.Popen([LCX, "today"], env=w.env, cwd=w.folder, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while not _data(w, "SELECT 1 FROM attempt") and time.monotonic() < end:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    stored = _data(w, "SELECT state, source FROM attempt")
    assert len(stored) == 1 and stored[0][1].decode() == _reference(), stored
    os.remove(path)  # it is stored: the file is needed no more
    _, err = w.run("today")
    assert _state(w) == "passed", err
    assert stored[0][0] == "done" or "snapshot at zero: passed" in err, err
    assert len(_data(w, "SELECT 1 FROM attempt")) == 1


def a_snapshot_whose_lane_is_missing_is_kept_until_it_is_there(w):
    if "torch" in w.rows("drill", "list")[0]["lanes"]:
        print("skipped: no lane is missing here")
        return
    w.run("drill", "start", "01", "--lang", "torch", "--no-editor", "--exam")
    _write(w.path("attention.py"), _reference("torch.py"), _passed(w, 30) - 1)
    for _ in range(2):
        _, err = w.run("today")
        assert "is kept, but cannot be graded on this machine" in err, err
        assert _state(w) == "running" and _data(w, "SELECT state FROM attempt") == [("interrupted",)]
    os.remove(w.path("attention.py"))
    # as if the lane had been installed
    _data(w, "UPDATE sitting SET lane = 'c'")
    _data(w, "UPDATE attempt SET lane = 'c', source = ?1, source_size = length(?1)", _reference().encode())
    _, err = w.run("today")
    assert "snapshot at zero: passed" in err and _state(w) == "passed", err


if __name__ == "__main__":
    run(globals())
