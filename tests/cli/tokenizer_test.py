#!/usr/bin/env python3
"""tokenizer_test.py LCX SOURCE BUILD -- lcx tokenizer: learn, encode, decode, and what is refused."""
import os

from world import run

TEXT = "the cat and the dog and the bird saw the other cats; ¿qué hacen?\n" * 40


def _write(w, name, text):
    with open(w.path(name), "w", encoding="utf-8") as file:
        file.write(text)
    return w.path(name)


def a_vocabulary_is_learned_used_and_undone(w):
    book = _write(w, "book.txt", TEXT)
    out, _ = w.run("tokenizer", "train", "--size", "285", "--out", "t.json", book)
    assert "285 tokens, 29 of them merges" in out, out
    ids, _ = w.run("tokenizer", "encode", "--vocab", "t.json", book)
    _write(w, "ids.txt", ids)
    assert w.run("tokenizer", "decode", "--vocab", "t.json", "ids.txt")[0] == TEXT
    assert w.run("tokenizer", "decode", "--vocab", "t.json", "-", stdin=ids)[0] == TEXT
    count = int(w.run("tokenizer", "encode", "--vocab", "t.json", "--count", book)[0])
    assert count == len(ids.split()) < len(TEXT)
    assert int(w.run("tokenizer", "encode", "--vocab", "t.json", "--count", "-", stdin=TEXT)[0]) == count


def the_rows_are_json(w):
    book = _write(w, "book.txt", TEXT)
    row, = w.rows("tokenizer", "train", "--size", "280", "--out", "v", "--format", "gpt2", book)
    assert row["size"] == 280 and row["merges"] == 24 and row["bytes"] == len(TEXT.encode())
    row, = w.rows("tokenizer", "encode", "--vocab", "v", book)
    assert row["count"] == len(row["ids"])
    assert w.rows("tokenizer", "encode", "--vocab", "v", "--count", book) == [{"count": row["count"]}]
    rows = w.rows("tokenizer", "encode", "--vocab", "v", "--offsets", book)
    assert [r["id"] for r in rows] == row["ids"]
    assert rows[1]["offset"] == rows[0]["size"]
    row, = w.rows("tokenizer", "info", "v")
    assert (row["kind"], row["size"], row["split"]) == ("bytes", 280, "gpt2")


def a_token_file_remembers_its_tokenizer(w):
    book = _write(w, "book.txt", TEXT)
    w.run("tokenizer", "train", "--size", "285", "--out", "t.json", book)
    row, = w.rows("tokenizer", "encode", "--vocab", "t.json", "--out", "book.tokens", book)
    told, = w.rows("tokenizer", "info", "book.tokens")
    tokenizer, = w.rows("tokenizer", "info", "t.json")
    assert told["count"] == row["count"] and told["width"] == 2
    assert told["tokenizer"] == tokenizer["tokenizer"]
    assert w.run("tokenizer", "decode", "--vocab", "t.json", "book.tokens")[0] == TEXT


def special_tokens_are_refused_until_they_are_allowed(w):
    book = _write(w, "book.txt", TEXT)
    w.run("tokenizer", "train", "--size", "285", "--special", "<|end|>,<|pad|>", "--out", "t.json", book)
    words = ("tokenizer", "encode", "--vocab", "t.json", "-")
    _, err = w.run(*words, stdin="cat<|end|>", status=2)
    assert "byte 3" in err and "<|end|>" in err and "--special" in err
    assert w.run(*words, "--special", "allow", stdin="<|end|>")[0] == "283\n"
    assert len(w.run(*words, "--special", "text", stdin="<|end|>")[0].split()) > 1
    assert w.run("tokenizer", "decode", "--vocab", "t.json", "-", stdin="283")[0] == ""
    assert w.run("tokenizer", "decode", "--vocab", "t.json", "--special", "-", stdin="283")[0] == "<|end|>"


def characters_are_a_vocabulary_too(w):
    book = _write(w, "book.txt", TEXT)
    assert "characters" in w.run("tokenizer", "train", "--characters", "--out", "c.json", book)[0]
    row, = w.rows("tokenizer", "info", "c.json")
    assert row["kind"] == "characters" and row["size"] == len(set(TEXT))
    _, err = w.run("tokenizer", "encode", "--vocab", "c.json", "-", stdin="xyz", status=3)
    assert "U+0078" in err or "U+0079" in err, err


def what_is_wrong_is_said(w):
    assert "--vocab" in w.run("tokenizer", "encode", "x", status=2)[1]
    assert "--out" in w.run("tokenizer", "train", "x", status=2)[1]
    assert "nothing.json" in w.run("tokenizer", "info", "nothing.json", status=2)[1]
    _write(w, "bad.json", '{"model": {"type": "Unigram"}}')
    assert "Unigram" in w.run("tokenizer", "info", "bad.json", status=3)[1]
    book = _write(w, "book.txt", TEXT)
    w.run("tokenizer", "train", "--size", "285", "--out", "t.json", book)
    assert "285" in w.run("tokenizer", "decode", "--vocab", "t.json", "-", stdin="5 285", status=2)[1]
    assert "byte 2" in w.run("tokenizer", "decode", "--vocab", "t.json", "-", stdin="5 x", status=2)[1]
    os.mkdir(w.path("empty"))
    assert "merges.txt" in w.run("tokenizer", "info", "empty", status=2)[1]


def every_form_says_the_same(w):
    book = _write(w, "book.txt", TEXT)
    w.run("tokenizer", "train", "--size", "285", "--special", "<|end|>", "--out", "t.json", book)
    ids, _ = w.run("tokenizer", "encode", "--vocab", "t.json", book)
    for form, name in (("gguf", "t.gguf"), ("gpt2", "folder"), ("json", "again.json")):
        w.run("tokenizer", "convert", "--format", form, "--out", name, "t.json")
        assert w.run("tokenizer", "encode", "--vocab", name, book)[0] == ids, form
        assert w.rows("tokenizer", "info", name)[0]["size"] == 285
    assert "tok.bin" in w.run("tokenizer", "convert", "--format", "llama2c", "--out", "t.bin", "t.json",
                              status=2)[1]
    w.run("tokenizer", "train", "--split", "llama3", "--size", "285", "--out", "l.json", book)
    assert "tokenizer.json" in w.run("tokenizer", "convert", "--format", "gpt2", "--out", "f", "l.json",
                                     status=2)[1]


def spanish_speaks_spanish(w):
    book = _write(w, "book.txt", TEXT)
    out, _ = w.run("tokenizer", "train", "--lang", "es", "--size", "285", "--out", "t.json", book)
    assert "fusiones" in out


if __name__ == "__main__":
    run(globals())
