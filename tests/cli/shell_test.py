#!/usr/bin/env python3
"""shell_test.py LCX SOURCE BUILD -- completions complete, the manual page is well formed."""
import shutil
import subprocess

from world import run


def _complete(w, line):
    """What bash offers at the end of `line`."""
    script, _ = w.run("help", "--completion", "bash")
    words = line.split(" ")
    program = script + "\nCOMP_WORDS=(" + " ".join(f"'{word}'" for word in words) + ")\n" + \
        f"COMP_CWORD={len(words) - 1}\n_lcx\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    done = subprocess.run(["bash", "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert not done.stderr, done.stderr
    return done.stdout.split()


def bash_completes_verbs_options_and_values(w):
    if not shutil.which("bash"):
        return
    assert "doctor" in _complete(w, "lcx do")
    assert _complete(w, "lcx data exp") == ["export"]
    assert "--drill" in _complete(w, "lcx data forget --")
    assert _complete(w, "lcx --lang ") == ["en", "es"]
    assert _complete(w, "lcx drill start 01 --lang ") == ["c", "numpy", "torch"]
    assert _complete(w, "lcx drill start 01 --lang numpy --mode ") == ["blank", "bugs"]
    assert _complete(w, "lcx --lang es conf") == ["config"]
    assert _complete(w, "lcx drill start --lang") == ["--lang"]


def every_shell_accepts_its_completion(w):
    for shell, check in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])):
        script, _ = w.run("help", "--completion", shell)
        assert "doctor" in script and "numpy" in script
        if shutil.which(shell):
            with open(w.path("script"), "w", encoding="utf-8") as file:
                file.write(script)
            subprocess.run([*check, w.path("script")], check=True)


def the_manual_page_has_every_verb_and_no_warnings(w):
    page, _ = w.run("help", "--manual")
    for verb in ("today", "drill submit", "lab", "data forget", "doctor"):
        assert f".SS \"lcx {verb}" in page, verb
    if shutil.which("groff"):
        with open(w.path("lcx.1"), "w", encoding="utf-8") as file:
            file.write(page)
        done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", w.path("lcx.1")],
                              capture_output=True, encoding="utf-8", check=True)
        assert not done.stderr, done.stderr


if __name__ == "__main__":
    run(globals())
