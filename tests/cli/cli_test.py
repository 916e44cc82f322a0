#!/usr/bin/env python3
"""cli_test.py LCX SOURCE BUILD -- verbs, options, exit statuses, JSON Lines, languages."""
import os
import stat
import subprocess

from world import LCX, SOURCE, World, run


def _verbs(w, *before):
    """The names in the Verbs section of a help text."""
    out, _ = w.run(*before, "--help")
    if "\nVerbs\n" not in out:
        return []
    part = out.split("\nVerbs\n")[1].split("\nOptions\n")[0].split("\nExample\n")[0]
    skip = len(before)
    return [line.split()[skip] for line in part.splitlines() if line.startswith("    ") and line[4] != " "]


def help_explains_every_verb_with_an_example_and_makes_nothing(w):
    verbs = _verbs(w)
    for verb in ("today", "drill", "lab", "progress", "config", "data", "doctor", "help"):
        assert verb in verbs, verb
    for verb in verbs:
        for words in [[verb], *([verb, inner] for inner in _verbs(w, verb))]:
            out, err = w.run(*words, "--help")
            assert out.startswith("lcx " + " ".join(words)), out
            assert "Example" in out and not err, out
            again, _ = w.run("help", *words)
            assert again == out
    assert not os.path.exists(w.home)


def help_and_version_are_rows_too(w):
    rows = w.rows("help")
    assert [row["verb"] for row in rows][:2] == ["", "today"] and len(rows) > 25, rows
    assert {"plain", "json"} <= {option["option"] for option in rows[0]["options"]}
    assert w.rows("--help") == rows
    start = w.rows("drill", "start", "--help")
    assert [row["verb"] for row in start] == ["drill start"] and start == w.rows("help", "drill", "start")
    assert w.rows("drill", "--help")[1]["verb"] == "drill list"
    assert w.rows("--version")[0]["version"].startswith("0.")
    for words in (["--manual"], ["--completion", "bash"]):
        _, err = w.run("help", *words, "--json", status=2)
        assert "--json" in err
    assert not os.path.exists(w.home)


def the_language_is_known_without_touching_the_data(w):
    w.run("config", "set", "language", "es")
    before = {name: os.stat(os.path.join(w.home, name)).st_mtime_ns for name in os.listdir(w.home)}
    with open(os.path.join(w.home, "lynx-cortex.db"), "rb") as file:
        data = file.read()
    assert "Opciones" in w.run("help")[0]
    assert "Laboratorio" in w.run("lab", "15")[0] or "Atención" in w.run("lab", "15")[0]
    with open(os.path.join(w.home, "lynx-cortex.db"), "rb") as file:
        assert file.read() == data
    assert {n: t for n, t in before.items() if n.endswith(".db")} == {
        n: os.stat(os.path.join(w.home, n)).st_mtime_ns for n in before if n.endswith(".db")}


def a_pipe_gets_what_plain_gives(w):
    for words in (["drill", "show", "01"], ["lab", "15"], ["help"], ["today"]):
        piped, _ = w.run(*words)
        assert piped == w.run(*words, "--plain")[0] == w.screen(*words, "--plain"), words
    assert "pipe" in w.run("--help")[0]


def version_is_one_line(w):
    out, _ = w.run("--version")
    assert out.startswith("lcx 0.") and out.count("\n") == 1


def a_wrong_word_is_answered_with_the_nearest_right_one(w):
    for words, hint in [
        (["dorctor"], '"doctor"'), (["prog"], '"progress"'), (["lab", "--plian"], "--plain"),
        (["data", "exprot", "x"], '"export"'), (["--versoin"], "--version"),
        (["config", "get", "langauge"], "language"), (["help", "dril"], '"drill"'),
    ]:
        out, err = w.run(*words, status=2)
        assert not out, out
        assert err.startswith("lcx: ") and hint in err, err


def wrong_use_says_what_is_right(w):
    for words, why in [
        (["xyzzy"], "--help"), (["lab", "15", "16"], '"16" is one word too many'),
        (["config", "set", "language"], "a word is missing"), (["--lang", "fr", "lab"], "en|es"),
        (["lab", "--lang", "fr"], "en or es"), (["lab", "99"], "lcx lab lists them"),
        (["data", "forget", "--drill"], "--drill NN"), (["lab", "-x"], "whole words"),
        (["config", "set", "interview-date", "2026-02-30"], "2026-02-30"),
        (["data", "forget", "--yes=1"], "takes no value"),
    ]:
        out, err = w.run(*words, status=2)
        assert not out and why in err, err
    out, err = w.run("data", status=2)
    assert not out and "data export" in err


def the_first_run_greets_and_makes_a_private_folder(w):
    out, _ = w.run()
    assert "lcx drill start 01" in out and "lcx doctor" in out and w.home in out, out
    assert out == w.run("today")[0]
    assert stat.S_IMODE(os.stat(w.home).st_mode) == 0o700
    for name in os.listdir(w.home):
        assert stat.S_IMODE(os.stat(os.path.join(w.home, name)).st_mode) & 0o077 == 0, name


def json_is_rows_and_nothing_else(w):
    assert [r["kind"] for r in w.rows("today")][-1] == "day"
    assert len(w.rows("lab")) == 22
    lab = w.rows("lab", "15")[0]
    assert lab["lab"] == "15" and lab["prepares"][0]["round"] == "coding" and "01" in lab["drills"]
    kinds = {row["kind"] for row in w.rows("progress")}
    assert {"round", "drill", "day"} <= kinds
    assert {row["setting"] for row in w.rows("config")} >= {"language", "python", "editor"}
    assert w.rows("data", "info")[0]["folder"] == w.home
    assert {row["kind"] for row in w.rows("doctor", status=_doctor_status(w))} == {
        "sandbox", "lane", "data", "content"}


def _doctor_status(w):
    return subprocess.run([LCX, "doctor"], env=w.env, capture_output=True, check=False).returncode


def doctor_names_what_mends_a_missing_thing(w):
    rows = w.rows("doctor", status=1, LCX_CONTENT=w.path("nothing"))
    labs = [row for row in rows if row["name"] == "labs"][0]
    assert not labs["ok"] and labs["needed"] and "LCX_CONTENT" in labs["mend"]
    for row in rows:
        assert row["ok"] or not row["needed"] or row.get("mend") or row["detail"], row


def shared_options_stand_anywhere(w):
    before, _ = w.run("--lang", "es", "--plain", "lab", "15")
    after, _ = w.run("lab", "15", "--plain", "--lang=es")
    assert before == after and "Atención" in before


def the_language_is_asked_set_and_given(w):
    assert "Opciones" in w.run("help", LANG="es_MX.UTF-8")[0]
    assert "Opciones" in w.run("help", LANG="es_ES.UTF-8", LC_ALL="")[0]
    assert "Options" in w.run("help", LANG="fr_FR.UTF-8")[0]
    w.run("config", "set", "language", "es")
    assert "Opciones" in w.run("help")[0]
    assert "Options" in w.run("help", "--lang", "en")[0]
    _, err = w.run("labb", status=2)
    assert "¿querías decir «lab»?" in err
    out, _ = w.run("lab", "attention")
    assert "Qué prepara" in out
    w.run("config", "unset", "language")
    assert "Options" in w.run("help")[0]


def settings_come_back_as_they_were_set(w):
    assert w.run("config", "get", "editor", status=1)[0] == ""
    w.run("config", "set", "editor", "vi -e")
    assert w.run("config", "get", "editor")[0] == "vi -e\n"
    w.run("config", "daily_minutes", "45")
    assert w.run("config", "daily-minutes")[0] == "45\n"
    assert w.rows("config", "get", "daily-minutes") == [{"setting": "daily-minutes", "value": "45"}]
    w.run("config", "unset", "daily-minutes")
    assert w.run("config", "get", "daily-minutes")[0] == "60\n"
    for name, value in [("time-factor", "9"), ("language", "fr"), ("python", "python3"),
                        ("daily-minutes", "x"), ("weekly-sittings", "-1")]:
        _, err = w.run("config", "set", name, value, status=2)
        assert name in err, err


def an_interview_date_is_counted_down(w):
    w.run("config", "set", "interview-date", "2999-01-02")
    day = w.rows("today")[-1]
    assert day["interview_date"] == "2999-01-02"
    assert any(row["kind"] == "outlook" for row in w.rows("progress"))


def an_unusable_home_is_said_and_help_still_works(w):
    with open(w.home, "w", encoding="utf-8") as file:
        file.write("not a folder")
    out, err = w.run("today", status=3)
    assert not out and err.startswith("lcx: ") and w.home in err, err
    w.run("help")
    w.run("lab")
    _, err = w.run("today", status=3, LCX_HOME="/proc/nowhere")
    assert "/proc/nowhere" in err, err
    if os.geteuid() != 0:
        os.mkdir(w.path("closed"), 0o500)
        _, err = w.run("today", status=3, LCX_HOME=w.path("closed/inner"))
        assert "closed" in err, err


def a_database_that_is_none_is_refused_in_words(w):
    os.mkdir(w.home)
    with open(os.path.join(w.home, "lynx-cortex.db"), "w", encoding="utf-8") as file:
        file.write("x" * 5000)
    _, err = w.run("today", status=3)
    assert "lynx-cortex.db" in err, err
    w.run("help")
    row = [row for row in w.rows("doctor", status=1) if row["name"] == "integrity"][0]
    assert not row["ok"]


def data_goes_out_and_comes_back(w):
    w.run("config", "set", "daily-minutes", "45")
    archive = w.path("practice.tar.gz")
    out, _ = w.run("data", "export", archive)
    assert archive in out
    assert stat.S_IMODE(os.stat(archive).st_mode) == 0o600
    _, err = w.run("data", "export", archive, status=1)
    assert "exists" in err
    other = w.path("other")
    row = w.rows("data", "import", archive, LCX_HOME=other)[0]
    assert row["action"] == "import" and row["settings"] == 1
    assert w.run("config", "get", "daily-minutes", LCX_HOME=other)[0] == "45\n"
    with open(w.path("junk"), "w", encoding="utf-8") as file:
        file.write("junk")
    w.run("data", "import", w.path("junk"), status=3)
    w.run("data", "import", w.path("absent"), status=2)
    w.run("data", "prune")


def forgetting_asks_and_a_script_must_say_yes(w):
    w.run("config", "set", "daily-minutes", "45")
    _, err = w.run("data", "forget", status=1, stdin="y\n")  # a pipe is nobody
    assert "--yes" in err
    assert w.run("config", "get", "daily-minutes")[0] == "45\n"
    w.run("data", "forget", "--yes")
    assert w.run("config", "get", "daily-minutes")[0] == "60\n"


def lessons_that_are_not_there_are_our_trouble(w):
    _, err = w.run("lab", status=3, LCX_CONTENT=w.path("nothing"))
    assert "LCX_CONTENT" in err, err


def a_full_disk_is_not_silent(w):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([LCX, "lab"], stdout=full, stderr=subprocess.PIPE, env=w.env,
                              encoding="utf-8", check=False)
    assert done.returncode == 3 and "standard output" in done.stderr, done


def a_lab_without_a_page_still_says_what_it_prepares(w):
    out, _ = w.run("lab", "04")
    assert "phone" in out and "no page" in out
    out, _ = w.run("lab", "x3", "--lang", "es")
    assert "DPO" in out
    for language in ("en", "es"):
        if os.path.exists(os.path.join(SOURCE, "content", language, "landscape.md")):
            assert "systems" in w.run("lab", "landscape", "--lang", language)[0]


def the_program_cannot_even_ask_for_a_connection(w):
    """No telemetry: nothing that opens a connection or looks up a name is linked."""
    try:
        out = subprocess.run(["nm", "-D", "--undefined-only", LCX], capture_output=True,
                             encoding="utf-8", check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return  # without binutils there is nothing to ask
    names = {line.split()[-1].split("@")[0] for line in out.splitlines() if line.split()}
    if any(name.startswith("__asan") for name in names):
        return  # the sanitizer's runtime brings its own
    assert not names & {"connect", "getaddrinfo", "gethostbyname", "socket", "curl_easy_perform"}, names


if __name__ == "__main__":
    run(globals())
