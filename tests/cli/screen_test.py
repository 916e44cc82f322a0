#!/usr/bin/env python3
"""screen_test.py LCX SOURCE BUILD -- what a terminal shows: colours, width, pager."""
import os
import re

from world import run


def colours_are_for_terminals_that_want_them(w):
    assert "\033[" in w.screen("help", PAGER="")
    assert "\033[" not in w.screen("help", PAGER="", NO_COLOR="1")
    assert "\033[" not in w.screen("help", PAGER="", TERM="dumb")
    assert "\033[" not in w.screen("help", "--plain")
    assert "\033[" not in w.run("help")[0]
    assert w.screen("help", PAGER="", NO_COLOR="1") == w.run("help")[0]


def lines_keep_to_the_width_in_both_languages(w):
    for language in ("en", "es"):
        for columns in (40, 60, 100, 160):
            for words in (["help"], ["lab"], ["today"], ["config"]):
                out = w.screen("--lang", language, *words, columns=columns, PAGER="", NO_COLOR="1")
                longest = max(out.split("\n"), key=len)
                assert len(longest) <= min(columns, 100) or " " not in longest.strip(), longest


def long_texts_go_through_the_pager_on_a_terminal_only(w):
    pager = w.path("pager")
    with open(pager, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\necho LESS=$LESS $LESSCHARSET >{w.path('seen')}\ncat >>{w.path('seen')}\n")
    os.chmod(pager, 0o755)
    w.screen("lab", "15", PAGER=pager)
    with open(w.path("seen"), encoding="utf-8") as file:
        seen = file.read()
    assert seen.startswith("LESS=FRX utf-8\n") and "Attention" in re.sub(r"\033\[[0-9;]*m", "", seen)
    os.remove(w.path("seen"))
    w.screen("--version", PAGER=pager)
    w.screen("lab", "15", "--plain", PAGER=pager)
    w.screen("lab", "15", "--json", PAGER=pager)
    w.run("lab", "15", PAGER=pager)
    assert not os.path.exists(w.path("seen"))


def a_pager_that_is_not_there_loses_nothing(w):
    out = w.screen("lab", "15", PAGER="/nonexistent/pager", NO_COLOR="1")
    assert w.screen("lab", "15", PAGER="cat", NO_COLOR="1") in out


if __name__ == "__main__":
    run(globals())
