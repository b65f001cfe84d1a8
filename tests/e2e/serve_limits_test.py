#!/usr/bin/env python3
"""openclip serve under attack and overload: it refuses, says why, and lives on."""
import concurrent.futures
import json
import os
import signal
import socket
import time
import unittest
import zlib

from serve_support import RED, ServeTest, data_url, form
from support import ROOT, png_of

HEAD = b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\n"


def status(raw):
    """Status codes of all answers in what came back."""
    return [int(part[:3]) for part in raw.split(b"HTTP/1.1 ")[1:]]


class AttackTest(ServeTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--header-timeout", 1, "--body-timeout", 1, "--idle-timeout", 2)
        self.addCleanup(self.assert_alive, self.server)

    def raw(self, *parts):
        return self.server.raw(b"".join(p if isinstance(p, bytes) else p.encode() for p in parts))

    def embed_picture(self, picture):
        return self.server.post("/v1/embeddings", {"input": [data_url(picture)]})

    def test_image_bombs(self):
        # 20000 x 20000 zeros in 400 KB, and a header that only claims its size.
        rows = zlib.compressobj(9)
        line = b"\0" * (1 + 3 * 20000)
        flat = b"".join(rows.compress(line) for _ in range(20000)) + rows.flush()
        for bomb in (png_of(20000, 20000, flat), png_of(64250, 64250, b""),
                     png_of(2**31 - 1, 2**31 - 1, b"")):
            began = time.monotonic()
            answer = self.embed_picture(bomb)
            self.assertEqual(answer.status, 400)
            self.assertIn("limit", answer.error)
            self.assertLess(time.monotonic() - began, 5)

    def test_bombs_and_long_pictures_to_be_searched(self):
        rows = zlib.compressobj(9)
        side = 20000
        flat = b"".join(rows.compress(b"\0" * (1 + 3 * side)) for _ in range(side)) + rows.flush()
        for path, what in (("/detect", {"labels": ["a"]}), ("/explain", {"text": "a"})):
            answer = self.server.post(path, {"image": data_url(png_of(side, side, flat)), **what})
            self.assertEqual(answer.status, 400)
            self.assertIn("limit", answer.error)
            # One row of 65,000 pixels would hold millions of windows.
            line = zlib.compress(b"\0" * (1 + 65000))
            began = time.monotonic()
            answer = self.server.post(path, {"image": data_url(png_of(65000, 1, line, 0)), **what})
            self.assertEqual(answer.status, 200, answer.body)
            self.assertLess(time.monotonic() - began, 20)

    def test_many_small_bombs_in_one_request(self):
        rows = zlib.compressobj(9)
        side = 9000  # 81 million pixels: allowed once, not three times
        flat = b"".join(rows.compress(b"\0" * (1 + side)) for _ in range(side)) + rows.flush()
        answer = self.server.post("/v1/embeddings", {"input": [data_url(png_of(side, side, flat, 0))] * 3})
        self.assertEqual(answer.status, 400)
        self.assertIn("limit", answer.error)

    def test_a_jpeg_of_very_many_scans(self):
        data = (ROOT / "tests/golden/image/progressive.jpg").read_bytes()
        scan = data[data.rindex(b"\xff\xda"):data.rindex(b"\xff\xd9")]
        bomb = data[:-2] + scan * 1000 + b"\xff\xd9"
        began = time.monotonic()
        answer = self.embed_picture(bomb)
        self.assertEqual(answer.status, 400)
        self.assertIn("JPEG", answer.error)
        self.assertLess(time.monotonic() - began, 5)

    def test_damaged_pictures(self):
        for picture in (b"", RED[:30], RED[:-20], b"GIF89a", b"\xff\xd8\xff" + os.urandom(500),
                        b"RIFF\xff\xff\xff\xffWEBPVP8L" + os.urandom(100), b"BM" + os.urandom(60)):
            self.assertEqual(self.embed_picture(picture).status, 400)

    def test_slow_header(self):
        with socket.create_connection((self.server.host, self.server.port), timeout=20) as s:
            began = time.monotonic()
            got = b""
            try:
                s.sendall(HEAD)
                for _ in range(100):
                    s.sendall(b"X-a: b\r\n")
                    time.sleep(0.1)
            except OSError:
                pass
            try:
                while piece := s.recv(4096):
                    got += piece
            except OSError:
                pass
        self.assertLess(time.monotonic() - began, 8)
        self.assertIn(status(got), ([408], []))  # a reset may overtake the answer

    def test_slow_body(self):
        began = time.monotonic()
        got = self.raw(HEAD, "Content-Length: 1000\r\n\r\n", '{"input":')
        self.assertEqual(status(got), [408])
        self.assertLess(time.monotonic() - began, 5)

    def test_many_slow_clients_leave_room(self):
        slow = [socket.create_connection((self.server.host, self.server.port)) for _ in range(200)]
        try:
            for s in slow:
                s.sendall(b"GET / HTTP/1.1\r\nHost:")
            self.assert_alive(self.server)
            time.sleep(4)  # the header timeout, and a while for the answer to be read
            connections = next(l for l in self.server.get("/metrics").body.decode().splitlines()
                               if l.startswith("openclip_connections "))
            self.assertLess(float(connections.split()[1]), 60, "slow clients are still served")
        finally:
            for s in slow:
                s.close()

    def test_silent_client(self):
        began = time.monotonic()
        self.assertEqual(self.raw(""), b"")
        self.assertLess(time.monotonic() - began, 6)

    def test_slow_reader(self):
        """A client that never reads its large answer does not stop the others."""
        with socket.create_connection((self.server.host, self.server.port)) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            body = json.dumps({"input": ["a"] * 256}).encode()
            s.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            time.sleep(0.5)
            self.assert_alive(self.server)

    def test_huge_headers(self):
        for head in (b"X: " + b"a" * 100_000 + b"\r\n", b"X: y\r\n" * 200, b"X: y\r\n" * 20_000):
            self.assertEqual(status(self.raw(HEAD, head, b"\r\n")), [431], head[:20])
        self.assertIn(status(self.raw(b"GET /" + b"a" * 100_000)), ([431], [400]))

    def test_smuggling(self):
        """What two programs could read in two ways is refused, and nothing after it is read."""
        hidden = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for head in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                     b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                     b"Content-Length: 5\r\nContent-Length: 6\r\n",
                     b"Content-Length: 5\r\nContent-Length: 5\r\n",
                     b"Content-Length: 5, 5\r\n", b"Content-Length: +5\r\n", b"Content-Length: -5\r\n",
                     b"Content-Length: 0x5\r\n", b"Content-Length: 5 5\r\n",
                     b"Content-Length: 99999999999999999999999\r\n", b"Content-Length: 18446744073709551615\r\n",
                     b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding: chunked, identity\r\n",
                     b"Transfer-Encoding: gzip, chunked\r\n",
                     b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
                     b"Transfer-Encoding : chunked\r\n", b"Content-Length : 5\r\n",
                     b"Transfer-Encoding: \x0bchunked\r\n", b"Host: other\r\n", b"X\0: y\r\n", b"X: a\0b\r\n",
                     b"bad header\r\n", b": nothing\r\n"):
            got = self.raw(HEAD, head, b"\r\n", b"0\r\n\r\n", hidden)
            codes = status(got)
            self.assertEqual(len(codes), 1, (head, got))
            self.assertIn(codes[0], (400, 413, 501), (head, got))
            self.assertNotIn(b"smuggled", got)

    def test_bad_chunks(self):
        for chunks in (b"-1\r\n", b"FFFFFFFFFFFFFFFFF\r\n", b"7FFFFFFFFFFFFFFF\r\nabc", b"zz\r\n", b"1\r\nab\r\n",
                       b"5;" + b"e" * 100_000 + b"\r\n", b"2000000\r\n" + b"a" * 100):
            codes = status(self.raw(HEAD, "Transfer-Encoding: chunked\r\n\r\n", chunks))
            self.assertTrue(len(codes) == 1 and codes[0] in (400, 408, 413, 431), (chunks[:30], codes))

    def test_trailers(self):
        """Fields behind a body are bounded as a header is, and begin no second request."""
        hidden = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
        body = b"8\r\n{\"a\": 1}\r\n0\r\n"
        for trailers in (b"X: " + b"a" * 100_000 + b"\r\n", b"X: y\r\n" * 20_000, b"Content-Length: 5\r\n",
                         b"Transfer-Encoding: chunked\r\n", b"X: y\r\n"):
            got = self.raw(HEAD, "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n", body, trailers, b"\r\n", hidden)
            codes = status(got)
            self.assertLessEqual(len(codes), 1, (trailers[:30], got))  # a reset may overtake the answer
            self.assertLessEqual(set(codes), {400, 413, 422, 431}, (trailers[:30], got))
            self.assertNotIn(b"smuggled", got)

    def test_ranges(self):
        """Parts of an answer are not given out, so many ranges multiply nothing."""
        whole = self.server.get("/")
        many = self.server.get("/", Range="bytes=" + ",".join(["0-"] * 3000))
        self.assertEqual((many.status, len(many.body)), (200, len(whole.body)))

    def test_not_http(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500),
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n" * 1000, os.urandom(5000),
                     b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\nHost: a\n\n"):
            codes = status(self.server.raw(data, half_close=True))
            self.assertTrue(set(codes) <= {400, 408, 431}, (data[:20], codes))

    def test_path_traversal(self):
        secret = self.file("secret.txt", "do not show")
        for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "//etc/passwd", "/./../secret.txt",
                     "/assets/../../secret.txt", "/assets/%2e%2e%2fsecret.txt", "/..%5csecret.txt",
                     f"/{secret}", "/secret.txt%00.png", "/pictures/../secret.txt", "/pictures/%2e%2e%2fsecret.txt",
                     "/pictures//etc/passwd", "file:///etc/passwd"):
            got = self.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            self.assertIn(status(got)[0], (400, 404), path)
            self.assertNotIn(b"do not show", got)
            self.assertNotIn(b"root:", got)

    def test_local_files_are_not_read(self):
        picture = self.dir / "red.png"
        picture.write_bytes(RED)
        for name in (str(picture), f"file://{picture}", "red.png"):
            for body in ({"input": name, "modality": "image"}, {"input": [{"image": name}]}):
                self.assertEqual(self.server.post("/v1/embeddings", body).status, 400, name)
            self.assertEqual(self.server.post("/post", {"data": [{"uri": name}]}).status, 400, name)

    def test_urls_are_not_fetched_by_default(self):
        with socket.create_server(("127.0.0.1", 0)) as inner:
            inner.settimeout(0.5)
            url = f"http://127.0.0.1:{inner.getsockname()[1]}/a.png"
            answer = self.server.post("/v1/embeddings", {"input": [{"image": url}]})
            self.assertEqual(answer.status, 400)
            self.assertIn("--allow-urls", answer.error)
            with self.assertRaises(TimeoutError):
                inner.accept()

    def test_deep_and_wide_json(self):
        for body in ("[" * 1_000_000, '{"a":' * 500_000, '{"input":' + "[" * 100 + "]" * 100 + "}",
                     '{"input":[' + "[]," * 1_000_000 + "[]]}", '{"a":"\\ud800"}', "nul", '{"input":1e999999}',
                     '{"input":"a","dimensions":-1}', '{"input":"a","dimensions":99999999999999999999}'):
            self.assertEqual(self.server.post("/v1/embeddings", body).status, 400, body[:40])

    def test_large_body(self):
        limit = 20 << 20
        got = self.raw(HEAD, f"Content-Length: {limit + 1}\r\n\r\n")
        self.assertEqual(status(got), [413])
        answer = self.server.post("/v1/embeddings", {"input": "data:," + "a" * (11 << 20), "modality": "image"})
        self.assertEqual(answer.status, 400)
        self.assertIn("more than", answer.error)

    def test_body_that_never_ends(self):
        def chunks():
            while True:
                yield b"10000\r\n" + b" " * 65536 + b"\r\n"
        with socket.create_connection((self.server.host, self.server.port), timeout=20) as s:
            s.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            sent = 0
            with self.assertRaises(OSError):
                for chunk in chunks():
                    s.sendall(chunk)
                    sent += len(chunk)
                    self.assertLess(sent, 60 << 20)

    def test_broken_forms(self):
        kind, body = form({"entries": "{}", "image": RED})
        for content_type, data in ((kind, body[:-30]), (kind, b""), ("multipart/form-data", body),
                                   ("multipart/form-data; boundary=", body), (kind, b"--BOUNDARY" * 1000),
                                   (kind, body * 20)):
            answer = self.server.ask("POST", "/predict", data, {"Content-Type": content_type})
            self.assertIn(answer.status, (400, 422), data[:20])

    def test_foreign_host_names(self):
        """DNS rebinding: a page of evil.example must not read this server through its own name."""
        self.assertEqual(self.server.get("/v1/models", Host="evil.example").status, 421)

    def test_clients_that_leave(self):
        body = json.dumps({"input": [data_url(RED)] * 20}).encode()
        for _ in range(50):
            with socket.create_connection((self.server.host, self.server.port)) as s:
                s.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)


class UrlTest(ServeTest):
    def test_inner_addresses_are_refused(self):
        server = self.serve("--allow-urls")
        with socket.create_server(("127.0.0.1", 0)) as inner:
            inner.settimeout(0.5)
            port = inner.getsockname()[1]
            for url in (f"http://127.0.0.1:{port}/", "http://127.0.0.1/", "http://localhost/", "http://[::1]/",
                        "http://169.254.169.254/latest/meta-data", "http://2130706433/", "http://0x7f000001/",
                        "http://127.1/", "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/", "http://0.0.0.0/",
                        "http://user:pass@127.0.0.1/", "http://127.0.0.1#@8.8.8.8/"):
                answer = server.post("/v1/embeddings", {"input": [{"image": url}]})
                self.assertEqual(answer.status, 400, url)
            with self.assertRaises(TimeoutError):
                inner.accept()
        self.assert_alive(server)


class OverloadTest(ServeTest):
    def many(self, server, count, body, timeout=60):
        def one(_):
            try:
                return server.post("/v1/embeddings", body).status
            except OSError:
                return 0
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    def test_batches_across_requests(self):
        server = self.serve()
        codes = self.many(server, 64, {"input": [data_url(RED)]})
        self.assertEqual(set(codes), {200})
        metrics = server.get("/metrics").body.decode()
        batches = next(int(l.split()[1]) for l in metrics.splitlines()
                       if l.startswith('openclip_batch_items_count{modality="image"}'))
        self.assertLess(batches, 60, "64 requests were computed one by one")

    def test_full_queue(self):
        server = self.serve("--max-requests", 2, "--workers", 1)
        body = {"input": ["word " * 50 + str(i) for i in range(256)]}
        codes = self.many(server, 32, body)
        self.assertIn(200, codes)
        self.assertIn(429, codes)
        self.assertEqual(set(codes) - {200, 429}, set())
        self.assert_alive(server)

    def test_retry_after(self):
        server = self.serve("--queue-timeout", 0.001, "--workers", 1)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: server.post("/v1/embeddings", {"input": ["a b c"] * 256}), range(16)))
        late = [a for a in answers if a.status == 503]
        self.assertTrue(late, [a.status for a in answers])
        self.assertEqual(late[0].headers["Retry-After"], "1")

    def test_too_many_connections(self):
        server = self.serve("--max-connections", 5)
        held = [socket.create_connection((server.host, server.port)) for _ in range(5)]
        try:
            time.sleep(0.2)
            got = server.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(status(got), [503])
        finally:
            for s in held:
                s.close()
        time.sleep(0.2)
        self.assert_alive(server)

    def test_health_answers_while_it_is_busy(self):
        server = self.serve("--workers", 1)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            work = [pool.submit(server.post, "/v1/embeddings", {"input": ["a b"] * 256}) for _ in range(8)]
            self.assertEqual(server.get("/healthz").status, 200)
            for w in work:
                w.result()

    def test_readiness_is_honest(self):
        server = self.serve("--workers", 1, "--max-requests", 1)
        self.assertEqual(server.get("/readyz").status, 200)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            busy = pool.submit(server.post, "/v1/embeddings", {"input": [f"{i} words" for i in range(256)]})
            answers = []
            while not busy.done():
                answers.append(server.get("/readyz"))
        full = [a for a in answers if a.status == 503]
        self.assertTrue(full, [a.status for a in answers])
        self.assertEqual(full[0].json["reason"], "the queue is full")
        self.assertEqual(server.get("/readyz").status, 200)


class StopTest(ServeTest):
    def test_answers_what_is_in_work(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.serve()
            body = json.dumps({"input": [f"{i} words of a text" for i in range(256)]}).encode()
            idle = server.connect()
            self.addCleanup(idle.close)
            self.assertEqual(server.ask("GET", "/healthz", connection=idle).status, 200)
            with socket.create_connection((server.host, server.port), timeout=30) as s:
                s.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body[:100])
                time.sleep(0.2)
                server.signal(number)
                time.sleep(0.2)
                with self.assertRaises(OSError):  # no new connections
                    socket.create_connection((server.host, server.port), timeout=5)
                s.sendall(body[100:])
                got = b""
                while piece := s.recv(65536):
                    got += piece
            self.assertEqual(status(got), [200])
            self.assertIn(b"Connection: close", got[:500])
            self.assertEqual(server.wait(20), 0)  # the idle connection did not hold it

    def test_second_signal_ends_at_once(self):
        server = self.serve()
        with socket.create_connection((server.host, server.port)) as s:
            s.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
            time.sleep(0.1)
            server.signal()
            time.sleep(0.3)
            self.assertIsNone(server.process.poll())
            server.signal()
            self.assertEqual(server.wait(10), 0)

    def test_weights_that_cannot_be_read_end_it(self):
        model = self.copy_model()
        next(model.glob("*.safetensors")).write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
        self.refuse(1, "serve", "--port", "0", "--model", model, says="missing")


if __name__ == "__main__":
    unittest.main()
