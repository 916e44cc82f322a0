"""world.py -- a small world for command-line tests: lcx, a fresh home, a clean environment.

A test is a function whose name is a sentence, given a World. run(globals()) runs them all.
"""
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import traceback

LCX, SOURCE, BUILD = (os.path.abspath(word) for word in sys.argv[1:4])


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="lcx-cli-")
        self.home = os.path.join(self.folder, "home")
        self.env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": self.folder,
            "LCX_HOME": self.home,
            "TERM": "xterm-256color",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_PRELOAD"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words, status=0, stdin="", **env):
        """Run lcx; the exit status must be as said. Returns (stdout, stderr)."""
        done = subprocess.run([LCX, *words], input=stdin, capture_output=True, encoding="utf-8",
                              env={**self.env, **env}, cwd=self.folder, timeout=60)
        said = f"lcx {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == status, f"expected status {status}\n{said}"
        return done.stdout, done.stderr

    def rows(self, *words, status=0, **env):
        """The JSON Lines of a command; nothing else may be on its standard output."""
        out, _ = self.run(*words, "--json", status=status, **env)
        rows = [json.loads(line) for line in out.splitlines()]
        assert all(isinstance(row, dict) for row in rows), out
        assert not out or out.endswith("\n")
        return rows

    def screen(self, *words, rows=24, columns=80, **env):
        """What lcx writes to a terminal of this size, escapes included, with "\\n" line ends."""
        import fcntl
        import struct
        import termios
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(LCX, [LCX, *words], {**self.env, **env})
        seen = b""
        while True:
            if not select.select([fd], [], [], 30)[0]:
                os.kill(pid, 9)
                break
            try:
                part = os.read(fd, 65536)
            except OSError:
                part = b""
            if not part:
                break
            seen += part
        os.close(fd)
        os.waitpid(pid, 0)
        return seen.decode("utf-8").replace("\r\n", "\n")

    def done(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def run(names):
    failed = 0
    for name, test in list(names.items()):
        if name.startswith("_") or not callable(test) or getattr(test, "__module__", "") != "__main__":
            continue
        world = World()
        try:
            test(world)
            print(f"ok    {name}")
        except Exception:
            failed += 1
            print(f"FAIL  {name}\n{traceback.format_exc()}")
        finally:
            world.done()
    sys.exit(1 if failed else 0)
