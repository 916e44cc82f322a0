#!/usr/bin/env python3
"""examiner_test.py -- the optional second reader, against an endpoint on loopback that can misbehave."""
import contextlib
import http.server
import json
import re
import threading

from world import run

ANSWER = ("Each score is a sum of d products, so its variance grows with d and the softmax saturates.\n"
          "The weather was fine.\n.\n\n:q\n")


class _Endpoint(http.server.BaseHTTPRequestHandler):
    """Answers as `reply(point, answer)` says: a (met, quote) pair, or text that is sent as it is."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, dict(self.headers), body))
        words = body["messages"][1]["content"]
        point = words.split("POINT\n")[1].split("\n\nANSWER\n")[0]
        reply = self.server.reply(point, words.split("ANSWER\n")[1])
        if isinstance(reply, tuple):
            reply = json.dumps({"choices": [{"message": {"content": "Sure: " + json.dumps(
                {"met": reply[0], "quote": reply[1]})}}]})
        data = reply.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def _endpoint(w, reply):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    server.seen, server.reply = [], reply
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        w.run("config", "set", "examiner-url", f"http://127.0.0.1:{server.server_port}/v1")
        w.run("config", "set", "examiner-model", "judge")
        yield server
    finally:
        server.shutdown()
        server.server_close()


def without_an_endpoint_there_is_no_examiner(w):
    _, err = w.run("examiner", "check", status=1)
    assert "examiner-url" in err, err


def only_https_or_this_machine_is_taken(w):
    for url in ("http://example.org/v1", "ftp://127.0.0.1/", "https://a@b/", "file:///etc/passwd", "https://"):
        _, err = w.run("config", "set", "examiner-url", url, status=2)
        assert "examiner-url" in err, err


def it_is_asked_about_one_item_at_temperature_zero_and_the_key_is_sent(w):
    with _endpoint(w, lambda point, answer: (False, "")) as server:
        w.run("ask", "01", stdin=ANSWER, LCX_EXAMINER_KEY="secret-key")
        assert server.seen, "nobody was asked"
        for path, headers, body in server.seen:
            assert path == "/v1/chat/completions"
            assert headers["Authorization"] == "Bearer secret-key"
            assert body["temperature"] == 0 and body["model"] == "judge"
            assert body["messages"][1]["content"].count("POINT\n") == 1


def a_verdict_counts_only_when_the_model_is_trusted(w):
    def reply(point, answer):
        return (True, "The weather was fine.") if "weather" in answer else (True, answer[:12])
    with _endpoint(w, reply):
        out, _ = w.run("ask", "01", stdin=ANSWER)
        assert "100 %" not in out, out
        w.run("round", "leave")
        w.run("examiner", "trust", "--questions", "1")
        out, _ = w.run("ask", "01", stdin=ANSWER)
        assert "100 %" in out, out
        w.run("round", "leave")
        w.run("config", "set", "examiner-model", "another")
        out, _ = w.run("ask", "01", stdin=ANSWER)
        assert "100 %" not in out, out


def a_quote_that_is_not_in_the_answer_is_a_no(w):
    with _endpoint(w, lambda point, answer: (True, "words that were never said")):
        w.run("examiner", "trust", "--questions", "1")
        out, _ = w.run("ask", "01", stdin=ANSWER)
        assert "never said" not in out and "100 %" not in out, out


def what_it_cannot_say_changes_nothing(w):
    plain, _ = w.run("ask", "01", stdin=ANSWER)
    w.run("round", "leave")
    for reply in ("", "no JSON", '{"choices": []}', '{"choices":[{"message":{"content":"{\\"met\\": 1}"}}]}', "x" * 400000):
        with _endpoint(w, lambda point, answer, reply=reply: reply):
            out, err = w.run("ask", "01", stdin=ANSWER)
            assert "examiner" in err, err
            assert re.findall(r"\d+ %", out) == re.findall(r"\d+ %", plain)
            w.run("round", "leave")


def the_agreement_is_shown(w):
    with _endpoint(w, lambda point, answer: (True, answer[:10])):
        out, _ = w.run("examiner", "check", "01")
        assert "not ranked" in out and "agrees" in out, out


if __name__ == "__main__":
    run(globals())
