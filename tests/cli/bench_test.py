#!/usr/bin/env python3
"""bench_test.py LCX SOURCE BUILD -- the rows of lcx bench, whose form others read."""
import os

from world import run


def bench_grade_measures_and_leaves_the_users_data_alone(w):
    rows = w.rows("bench", "grade", "01", "--lang", "c", "--runs", "1")
    assert all(set(row) == {"bench", "case", "metric", "value", "unit", "threads"} for row in rows)
    assert all(row["bench"] == "grade" and row["value"] > 0 and row["threads"] == 1 for row in rows)
    assert {(row["case"], row["metric"], row["unit"]) for row in rows} >= {
        ("drill01/c", "verdict_ms", "ms"), ("drill-list", "wall_ms", "ms"),
        ("machine", "read_bandwidth", "gb_per_s"), ("machine", "f32_peak", "gflops")}
    assert not os.path.exists(os.path.join(w.home, "lynx-cortex.db"))
    cache = os.path.join(w.home, "cache")
    assert not [name for name in os.listdir(cache) if name.startswith("bench")]


def bench_tokenizer_measures_a_text_and_a_vocabulary(w):
    with open(w.path("book.txt"), "w", encoding="utf-8") as file:
        file.write("the cat and the dog and the bird saw the other cats; ¿qué hacen?\n" * 2000)
    w.run("tokenizer", "train", "--size", "280", "--out", "t.json", "book.txt")
    rows = w.rows("bench", "tokenizer", "--vocab", "t.json", "--file", "book.txt", "--runs", "1")
    assert all(set(row) == {"bench", "case", "metric", "value", "unit", "threads"} for row in rows)
    assert all(row["bench"] == "tokenizer" and row["value"] > 0 for row in rows)
    assert {(row["case"], row["metric"]) for row in rows} >= {
        ("encode/t.json/book.txt", "mb_per_s"), ("encode/t.json/random-utf8", "mb_per_s"),
        ("encode/t.json/spanish", "mb_per_s"), ("encode/t.json/source", "mb_per_s"),
        ("encode/t.json/word-1mb", "mb_per_s"), ("train/book.txt/4096", "seconds"),
        ("machine", "read_bandwidth")}
    assert {row["case"] for row in w.rows("bench", "tokenizer", "--runs", "1")} >= {
        "encode/learned/english", "train/english/4096"}


def bench_kernels_measures_what_it_is_asked_for(w):
    rows = w.rows("bench", "kernels", "norm/layer", "attention/4x64", "--runs", "1", "--threads", "2")
    assert all(set(row) == {"bench", "case", "metric", "value", "unit", "threads"} for row in rows)
    assert all(row["bench"] == "kernels" and row["value"] > 0 and row["threads"] == 2 for row in rows)
    assert {(row["case"], row["metric"]) for row in rows} == {
        ("norm/layer/forward", "gb_per_s"), ("norm/layer/backward", "gb_per_s"),
        ("attention/4x64/12/forward", "gflops"), ("attention/4x64/12/backward", "gflops"),
        ("machine", "read_bandwidth"), ("machine", "f32_peak")}
    assert "no case begins so" in w.run("bench", "kernels", "gemm", status=2)[1]


def bench_tensor_measures_products_and_the_machine(w):
    rows = w.rows("bench", "tensor", "64x96x80", "1x7x13", "--runs", "1", "--threads", "2")
    assert all(set(row) == {"bench", "case", "metric", "value", "unit", "threads"} for row in rows)
    assert all(row["bench"] == "tensor" and row["value"] > 0 and row["threads"] == 2 for row in rows)
    assert {(row["case"], row["metric"]) for row in rows} >= {
        (f"gemm/{kind}/{shape}", "gflops")
        for kind in ("f32", "bf16", "int8") for shape in ("64x96x80", "1x7x13")}
    assert {(row["metric"], row["unit"]) for row in rows if row["case"] == "machine"} >= {
        ("read_bandwidth", "gb_per_s"), ("f32_peak", "gflops")}
    rows = w.rows("bench", "tensor", "8x8x8", "--runs", "1", "--type", "bf16")
    assert [row["case"] for row in rows if row["case"] != "machine"] == ["gemm/bf16/8x8x8"]
    for wrong in ("8x8", "8x8x8x8", "0x8x8", "8x8x70000", "1000000x8x60000", "axbxc"):
        assert "MxNxK" in w.run("bench", "tensor", wrong, status=2)[1]


def bench_says_what_it_does_not_know(w):
    assert '"grade"' in w.run("bench", "grad", status=2)[1]
    assert "01" in w.run("bench", "grade", "99", status=2)[1]
    assert "1 to 100" in w.run("bench", "grade", "--runs", "0", status=2)[1]


if __name__ == "__main__":
    run(globals())
