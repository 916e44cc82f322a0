#!/usr/bin/env python3
"""lcx train and lcx generate, as typed: a run is killed at random moments and goes on; text comes out.

usage: train_test.py LCX SOURCE_ROOT BUILD_ROOT
"""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

LCX = os.path.abspath(sys.argv[1])
SMALL = ["layers=1", "width=16", "heads=2", "context=16", "batch=2", "steps=300", "valid_every=40",
         "valid_tokens=64", "sample_every=60", "sample_tokens=10", "save_every=7", "log_every=1",
         "layers_every=50", "dropout=0.1", "average=0.9", "threads=1"]
KILLS = 20


def run(folder, *words, status=0):
    done = subprocess.run([LCX, *words], cwd=folder, capture_output=True, text=True, timeout=100,
                          env={**os.environ, "LCX_HOME": os.path.join(folder, "home"), "LC_ALL": "C.UTF-8"})
    assert done.returncode == status, (words, done.returncode, done.stdout[-500:], done.stderr[-500:])
    return done.stdout, done.stderr


def same(folder, one, other, name):
    with open(os.path.join(folder, one, name), "rb") as a, open(os.path.join(folder, other, name), "rb") as b:
        return a.read() == b.read()


def rows(folder, name):
    """The log without what the clock says."""
    with open(os.path.join(folder, name, "log.jsonl"), encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    for row in found:
        for key in ("ms", "tokens_per_s", "gflops"):
            row.pop(key, None)
    return found


def a_run_that_is_killed_twenty_times_ends_with_the_same_bits(folder):
    seed = random.randrange(1 << 30)
    rng = random.Random(seed)
    print(f"  seed {seed}")
    began = time.monotonic()
    run(folder, "train", "--out", "whole", "--plain", *SMALL)
    whole = time.monotonic() - began
    words, kills = ["train", "--out", "killed", "--plain", *SMALL], 0
    for _ in range(KILLS):
        child = subprocess.Popen([LCX, *words], cwd=folder, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"})
        try:
            child.wait(timeout=rng.uniform(0.01, 0.3) * whole)
            assert child.returncode == 0, child.stderr.read()
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
            kills += 1
        child.stderr.close()
        if os.path.exists(os.path.join(folder, "killed", "recipe.json")):
            words = ["train", "--resume", "killed", "--plain"]
    print(f"  {kills} kills")
    assert kills >= 5
    run(folder, *words)
    for name in ("checkpoint.safetensors", "model.safetensors", "best.safetensors"):
        assert same(folder, "whole", "killed", name), name
    assert rows(folder, "whole") == rows(folder, "killed")


def ctrl_c_saves_and_says_how_to_go_on(folder):
    child = subprocess.Popen([LCX, "train", "--out", "asked", "--plain", *SMALL, "steps=1000000"],
                             cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env={**os.environ, "LC_ALL": "C.UTF-8"})
    while not child.stdout.readline().startswith("step "):
        pass
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 1 and "--resume asked" in said, (child.returncode, said)


def it_goes_on_with_a_text(folder):
    run(folder, "train", "--out", "text", "--plain", *SMALL)
    words = ["generate", "--model", "text", "--seed", "5", "--max-tokens", "60", "The "]
    one, _ = run(folder, *words)
    again, _ = run(folder, *words)
    assert one == again and one.startswith("The ") and len(one) == 64
    other, _ = run(folder, "generate", "--model", "text", "--seed", "6", "--max-tokens", "60", "The ")
    assert other != one
    greedy, _ = run(folder, "generate", "--model", "text/best.safetensors", "--temperature", "0",
                    "--max-tokens", "60", "The ")
    assert greedy.startswith("The ")
    stop = one[10:12]
    cut, _ = run(folder, *words[:-1], "--stop", stop, "The ")
    assert cut == one[:one.index(stop, 4)], (cut, one)


def stories260k_writes_its_published_text(folder):
    data = os.path.join(os.path.abspath(sys.argv[2]), "..", "shared", "data", "stories260K")
    if not os.path.exists(data):
        print("  skipped:", data, "is not here")
        return
    text, _ = run(folder, "generate", "--model", os.path.join(data, "stories260K.bin"), "--tokenizer",
                  os.path.join(data, "tok512.bin"), "--temperature", "0", "--max-tokens", "200")
    with open(os.path.join(data, "greedy_200.txt"), encoding="utf-8") as file:
        assert text == file.read(), text


def wrong_words_are_answered(folder):
    _, said = run(folder, "train", "stepps=5", status=2)
    assert "steps" in said, said
    _, said = run(folder, "train", "steps=many", status=2)
    assert "steps" in said, said
    _, said = run(folder, "train", "width=10", "heads=3", "--out", "wrong", status=2)
    assert "10" in said and "3" in said, said
    assert not os.path.exists(os.path.join(folder, "wrong", "recipe.json"))
    run(folder, "train", "--resume", "nothing-here", status=2)
    run(folder, "generate", "--model", "nothing-here", "x", status=2)
    run(folder, "generate", "x", status=2)
    with open(os.path.join(folder, "recipe.yaml"), "w", encoding="utf-8") as file:
        file.write("preset: tiny\nsteps: 3\nthreads: 1\nvalid_every: 0\nsample_tokens: 5\n")
    out, _ = run(folder, "train", "recipe.yaml", "--out", "yaml", "--json")
    kinds = [json.loads(line)["kind"] for line in out.splitlines()]
    assert kinds[0] == "run" and "valid" in kinds and "sample" in kinds, kinds
    settings, _ = run(folder, "train", "--show", "--json", "steps=77")
    shown = {row["name"]: row["value"] for row in map(json.loads, settings.splitlines())}
    assert shown["steps"] == "77" and shown["optimizer"] == "adamw", shown


def main():
    tests = [a_run_that_is_killed_twenty_times_ends_with_the_same_bits,
             ctrl_c_saves_and_says_how_to_go_on, it_goes_on_with_a_text,
             stories260k_writes_its_published_text, wrong_words_are_answered]
    failed = 0
    for test in tests:
        with tempfile.TemporaryDirectory(prefix="lcx-train-") as folder:
            try:
                test(folder)
                print("ok   ", test.__name__, flush=True)
            except AssertionError as why:
                failed += 1
                print("FAIL ", test.__name__, why, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
