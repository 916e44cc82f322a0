#!/usr/bin/env python3
"""plan_test.py LCX SOURCE BUILD -- lcx plan: the worked example, its variant, checks, tables."""
import os

from world import SOURCE, run

_CHATBOT = ["plan", "capacity", "--example", "chatbot"]


def _steps(rows):
    return {row["name"]: row for row in rows if row["kind"] == "step"}


def the_worked_example_is_json_lines(w):
    rows = w.rows(*_CHATBOT)
    steps = _steps(rows)
    assert steps["nodes"]["value"] == 93 and steps["nodes"]["formula"]
    assert steps["gpus"]["value"] == 744
    assert steps["usd_mtok"]["text"] == "$1.86" and steps["usd_mtok"]["unit"] == "USD/1M tokens"
    assert steps["kv_token"]["value"] == 320 * 1024
    inputs = {row["name"]: row for row in rows if row["kind"] == "input"}
    assert inputs["users"]["value"] == 10_000_000 and inputs["users"]["origin"] == "file"
    assert inputs["memory"]["origin"] == "table" and inputs["pp"]["origin"] == "default"
    assert rows[-1]["kind"] == "result" and rows[-1]["fits"] and rows[-1]["binding"] == "decode"
    assert not [row for row in rows if row["kind"] == "warning"]


def without_the_prefix_cache_it_is_208_nodes(w):
    steps = _steps(w.rows(*_CHATBOT, "cached=0%"))
    assert steps["nodes"]["value"] == 208 and steps["usd_mtok"]["text"] == "$4.16"


def a_file_and_words_go_together(w):
    path = w.path("plan.yaml")
    with open(os.path.join(SOURCE, "content", "plans", "chatbot.yaml"), encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith(("users", "turns", "output", "ttft"))]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines)
    words = ["users=10M", "turns=8", "output=300", "ttft=0.5s", "tpot=25ms", "reserve=60GB",
             "price=2.5USD/h"]
    assert _steps(w.rows("plan", "capacity", "--file", path, *words))["nodes"]["value"] == 93
    _, err = w.run("plan", "capacity", "--file", path, status=2)
    assert "users, turns, output, ttft" in err
    _, err = w.run("plan", "capacity", "--file", path, "output=300 ms", status=2)
    assert "output: expected tokens, got 300 ms" in err


def what_does_not_fit_is_a_no(w):
    rows = w.rows(*_CHATBOT, "model=llama-3.1-405b", status=1)
    assert [row["name"] for row in rows if row["kind"] == "warning"] == ["weights"]
    assert rows[-1] == {"kind": "result", "fits": False, "binding": "unknown"}
    out, _ = w.run(*_CHATBOT, "model=llama-3.1-405b", status=1)
    assert "do not fit" in out


def a_check_names_each_mistake_and_the_missing_prefill(w):
    check = "nodes=55,kv_total=10TB,in_flight=22,222,kv_sequence=0.44MB,weights=140,nodes_needed=20"
    rows = w.rows(*_CHATBOT, "--check", check, status=1)
    verdicts = {row["name"]: row["verdict"] for row in rows}
    assert verdicts == {"nodes": "order", "kv_total": "close", "in_flight": "close",
                        "kv_sequence": "unit", "weights": "unit", "nodes_needed": "wrong",
                        "prefill": "missing"}
    assert [row["factor"] for row in rows if row["name"] == "kv_sequence"] == [1000]
    assert rows[-1]["explains"]
    out, _ = w.run(*_CHATBOT, "--check", check, status=1)
    assert "55 nodes is what remains when prefill is forgotten" in " ".join(out.split())
    out, _ = w.run(*_CHATBOT, "--check", "nodes=90,nodes_prefill=30")
    assert "close" in out and "No prefill" not in out


def tables_have_sources_and_a_user_overrides_them(w):
    gpus = {row["name"]: row for row in w.rows("plan", "gpus")}
    assert {"a100-40", "a100-80", "h100", "h200", "b200", "l4", "l40s", "mi300x"} <= set(gpus)
    assert all(row["source"] and row["price_source"] for row in gpus.values())
    models = w.rows("plan", "models")
    assert all(row["source"] for row in models) and any(row["experts"] for row in models)
    os.makedirs(w.home)
    table = os.path.join(w.home, "gpus.yaml")
    with open(table, "w", encoding="utf-8") as file:
        file.write("- name: h100\n  price: 5 USD/h\n")
    assert {row["name"]: row for row in w.rows("plan", "gpus")}["h100"]["usd_hour"] == 5
    with open(table, "w", encoding="utf-8") as file:
        file.write("- name: h100\n  price: 5 GB\n")
    _, err = w.run("plan", "gpus", status=3)
    assert "gpus.yaml:2: price: expected USD per unit of time, got 5 GB" in err


def both_languages_keep_to_80_columns(w):
    for language in ("en", "es"):
        for words in (_CHATBOT, [*_CHATBOT, "--check", "nodes=55,gpus=3 GB"], ["plan", "keys"],
                      ["plan", "models"], ["plan", "gpus"]):
            out, _ = w.run("--lang", language, *words, status=1 if "--check" in words else 0)
            longest = max(out.split("\n"), key=len)
            assert len(longest) <= 80, longest
    out, _ = w.run("--lang", "es", *_CHATBOT)
    assert "Suposiciones" in out and "22\u202f222" in out
    _, err = w.run("--lang", "es", *_CHATBOT, "users=10.000", status=2)
    assert "10.000" in err


if __name__ == "__main__":
    run(globals())
