#!/usr/bin/env python3
"""watch_test.py LCX SOURCE BUILD -- lcx drill watch: saves, keys, the clock, the terminal given back."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import subprocess
import termios
import time

from world import LCX, run

BROKEN = "#include \"attention.h\"\nint broken(\n"


def _start(w, *words):
    w.run("drill", "start", "01", "--lang", "c", "--no-editor", *words)
    return w.path("attention.c")


def _save(path, text):
    """As editors do it: another file, renamed over the old one."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


def _leave(w, seconds):
    """Move the sitting's clock: so much is left of it."""
    with contextlib.closing(sqlite3.connect(os.path.join(w.home, "lynx-cortex.db"))) as data, data:
        data.execute("UPDATE sitting SET deadline_ms = ?", [int((time.time() + seconds) * 1000)])


def _text(said):
    return re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", said)


class _Watch:
    """lcx drill watch on pipes, or on a terminal of its own."""

    def __init__(self, w, *words, terminal=False, columns=80, **env):
        self.seen = ""
        command, env = [LCX, "drill", "watch", "01", *words], {**w.env, **env}
        if terminal:
            self.keys, slave = pty.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            self.before = termios.tcgetattr(slave)
            self.out, self.slave = self.keys, slave
            self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env,
                                            cwd=w.folder, start_new_session=True)
        else:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, env=env, cwd=w.folder)
            self.out = self.process.stdout.fileno()

    def until(self, words, seconds=20):
        """Read until it says so; returns what came, and forgets it."""
        end = time.monotonic() + seconds
        while words not in self.seen:
            left = end - time.monotonic()
            ready = left > 0 and select.select([self.out], [], [], left)[0]
            data = os.read(self.out, 65536) if ready else b""
            assert data, f"never said {words!r}:\n{self.seen}"
            self.seen += data.decode()
        said, self.seen = self.seen, ""
        return said

    def press(self, key):
        os.write(self.keys, key.encode())

    def end(self, status=0):
        assert self.process.wait(20) == status, self.process.returncode
        if self.process.stdout:
            self.process.stdin.close()
            self.process.stdout.close()
        else:
            assert termios.tcgetattr(self.slave) == self.before
            os.close(self.slave)
            os.close(self.keys)


def each_save_is_one_line_until_standard_input_closes(w):
    path = _start(w)
    watch = _Watch(w, "--json")
    time.sleep(0.3)
    _save(path, BROKEN)
    row = json.loads(watch.until("\n"))
    assert row["verdict"] == "fail" and row["checks"][0] == {"check": "build", "state": "fail"}, row
    assert not row["counts"]

    _save(path, BROKEN)  # the same bytes
    assert not select.select([watch.out], [], [], 0.6)[0]
    _save(path, BROKEN + "/* other bytes */\n")
    assert json.loads(watch.until("\n"))["verdict"] == "fail"
    watch.process.stdin.close()
    watch.end()
    assert [row["kind"] for row in w.rows("drill", "history", "01")] == ["check", "check"]


def sigterm_ends_it_as_it_should(w):
    _start(w)
    watch = _Watch(w)
    watch.until("attention.c")
    watch.process.send_signal(signal.SIGTERM)
    watch.end()


def the_terminal_has_a_clock_and_keys_and_is_given_back(w):
    path = _start(w)
    watch = _Watch(w, terminal=True)
    said = _text(watch.until("quit"))
    assert "Watching" in said and "left of 20:00" in said and "r run  h hint  t task" in said, said
    watch.press("t")
    watch.until("Attention")
    watch.press("p")
    watch.until("The clock stands still")
    _save(path, BROKEN)
    said = watch.until("WRONG")
    assert "FAIL" in said
    watch.press("q")
    watch.until("lcx drill watch 01")
    watch.end()


def the_keys_stand_in_the_narrowest_terminal_in_both_languages(w):
    path = _start(w)
    _save(path, BROKEN)
    for seconds in (1100, -3600 * 20):
        _leave(w, seconds)
        os.utime(path)
        for language in ("en", "es"):
            for columns in (40, 50, 60, 69, 100):
                watch = _Watch(w, "--lang", language, terminal=True, columns=columns, NO_COLOR="1")
                watch.press("r")
                watch.until("build WRONG" if language == "en" else "compilación MAL")
                end = time.monotonic() + 10
                line = ""
                while not re.search(r"\bq\b", line) and time.monotonic() < end:
                    watch.seen += os.read(watch.out, 65536).decode()
                    drawn = re.findall(r"\r([^\r\n]+)\033\[J\r", watch.seen)
                    line = _text(drawn[-1]) if drawn else ""
                keys = [word for word in re.split(r"\W+", line) if len(word) == 1 and word.isalpha()]
                assert keys == list("rhtspq"), (language, columns, line)
                assert len(line) < columns, (columns, line)
                watch.seen = ""
                watch.press("q")
                watch.until("\033[?25h")
                watch.end()


def an_exam_has_no_hints_and_ctrl_c_gives_the_terminal_back(w):
    _start(w, "--exam")
    watch = _Watch(w, terminal=True, NO_COLOR="1")
    said = watch.until("q quit")
    assert "h hint" not in said and "p pause" not in said and "s submit" in said, said
    watch.press("h")
    watch.until("no hints")
    watch.process.send_signal(signal.SIGINT)
    watch.until("\033[?25h")
    watch.end()


def plain_draws_nothing_over(w):
    _start(w)
    watch = _Watch(w, "--plain", terminal=True)
    watch.until("q quit")
    watch.press("q")
    said = watch.until("lcx drill watch 01")
    watch.end()
    assert "\033" not in said


def at_zero_practice_is_graded_as_it_stands_and_goes_on(w):
    path = _start(w)
    _save(path, BROKEN)
    _leave(w, 1)
    watch = _Watch(w)
    said = watch.until("lcx drill hint 01")
    assert "Time." in said and "snapshot" in said and "overtime" in said, said
    _save(path, BROKEN + "/* more */\n")
    assert "does not count" in watch.until("lcx drill hint 01")
    watch.process.stdin.close()
    watch.end()
    attempts = w.rows("drill", "history", "01")
    assert [row["kind"] for row in attempts] == ["check", "snapshot"], attempts
    assert attempts[1]["counts"] and attempts[1]["elapsed_ms"] == 20 * 60 * 1000, attempts


def at_zero_an_exam_ends(w):
    _save(_start(w, "--exam"), BROKEN)
    _leave(w, 0.3)
    watch = _Watch(w)
    said = watch.until("The exam is over")
    assert "Time." in said and "lcx drill hint" not in said, said
    watch.end(status=1)
    assert [row["kind"] for row in w.rows("drill", "history", "01")] == ["snapshot"]
    w.run("drill", "start", "01", "--lang", "c", "--no-editor", "--dir", w.path("again"))


def a_watcher_that_comes_a_moment_after_zero_still_takes_the_snapshot(w):
    path = _start(w, "--exam")
    _leave(w, -1)
    _save(path, BROKEN)  # within the five seconds
    watch = _Watch(w)
    said = watch.until("The exam is over")
    assert "Time." in said and "snapshot" in said, said
    watch.end(status=1)
    assert [row["kind"] for row in w.rows("drill", "history", "01")] == ["snapshot"]


def a_machine_that_slept_through_zero_takes_the_file_that_stood_still(w):
    path = _start(w, "--exam")
    os.utime(path, (time.time() - 7200,) * 2)
    watch = _Watch(w)
    watch.until("Watching")
    time.sleep(0.3)
    _leave(w, -3600)
    said = watch.until("The exam is over")
    assert "graded as your snapshot" in said and "snapshot at zero: failed" in said, said
    watch.end(status=1)
    assert [row["kind"] for row in w.rows("drill", "history", "01")] == ["snapshot"]


def a_file_that_is_gone_at_zero_ends_the_exam_all_the_same(w):
    path = _start(w, "--exam")
    watch = _Watch(w)
    watch.until("Watching")
    os.remove(path)
    _leave(w, -4)
    said = watch.until("The exam is over")
    assert "nothing had been submitted" in said, said
    watch.end(status=1)


if __name__ == "__main__":
    run(globals())
