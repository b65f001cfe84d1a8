#!/usr/bin/env python3
"""openclip serve: what its endpoints answer."""
import base64
import json
import math
import unittest

from serve_support import BLUE, RED, ServeTest, data_url, floats, form
from support import read_npy


class EmbeddingsTest(ServeTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def embed(self, **body):
        answer = self.server.post("/v1/embeddings", body)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def vectors(self, **body):
        return [row["embedding"] for row in self.embed(**body)["data"]]

    def assert_same(self, a, b, tolerance=2e-6):
        self.assertEqual(len(a), len(b))
        self.assertLess(max(abs(x - y) for x, y in zip(a, b)), tolerance)

    def test_equals_the_embed_command(self):
        self.file("red.png", RED)
        self.succeed("embed", "red.png", "--text", "a cat", "--out", "f.npy")
        (rows, dim), values = read_npy(self.dir / "f.npy")
        got = self.vectors(input=[data_url(RED), "a cat"])
        for row in range(rows):
            self.assert_same(got[row], values[row * dim:(row + 1) * dim])

    def test_answer_has_openais_shape(self):
        answer = self.embed(input=["a", "a cat"])
        self.assertEqual(answer["object"], "list")
        self.assertEqual([d["index"] for d in answer["data"]], [0, 1])
        self.assertEqual(answer["data"][0]["object"], "embedding")
        self.assertGreaterEqual(answer["usage"]["prompt_tokens"], 6)
        self.assertEqual(answer["usage"]["total_tokens"], answer["usage"]["prompt_tokens"])
        self.assertTrue(answer["model"])

    def test_forms_of_input(self):
        text, red = self.vectors(input=["a cat"])[0], self.vectors(input=[data_url(RED)])[0]
        self.assert_same(self.vectors(input="a cat")[0], text)
        bare = base64.b64encode(RED).decode()
        for item in ({"image": data_url(RED)}, {"image": bare},
                     {"type": "image_url", "image_url": {"url": data_url(RED)}}):
            mixed = self.vectors(input=[item, {"text": "a cat"}])
            self.assert_same(mixed[0], red)
            self.assert_same(mixed[1], text)
        self.assert_same(self.vectors(input=bare, modality="image")[0], red)
        as_text = self.vectors(input="data:,x", modality="text")[0]
        self.assertGreater(max(abs(x - y) for x, y in zip(as_text, text)), 1e-4)

    def test_token_ids(self):
        ids = json.loads(self.succeed("tokenize", "--text", "a cat"))[0]
        ids = [i for i in ids if i] or ids
        for body in (ids, [ids]):
            self.assert_same(self.vectors(input=body)[0], self.vectors(input="a cat")[0])
        self.assertEqual(self.server.post("/v1/embeddings", {"input": [[10**9]]}).status, 400)
        self.assertEqual(self.server.post("/v1/embeddings", {"input": [[1] * 5000]}).status, 400)

    def test_base64_and_dimensions(self):
        plain = self.vectors(input="a cat")[0]
        coded = self.embed(input="a cat", encoding_format="base64")["data"][0]["embedding"]
        self.assert_same(floats(coded), plain, 6e-8)  # decimals of a float32 are not the float32
        short = self.vectors(input="a cat", dimensions=3)[0]
        length = math.sqrt(sum(x * x for x in plain[:3]))
        self.assert_same(short, [x / length for x in plain[:3]])
        self.assertEqual(self.server.post("/v1/embeddings", {"input": "a", "dimensions": 9999}).status,
                         400)

    def test_refusals_name_the_member(self):
        for body, status, says in (
                ({}, 400, "input"), ({"input": []}, 400, "empty"), ({"input": [1.5]}, 400, "input"),
                ({"input": "a", "encoding_format": "hex"}, 400, "encoding_format"),
                ({"input": "a", "model": "other"}, 404, "other"),
                ({"input": ["a"] * 257}, 413, "256"), ({"input": "x" * 40000}, 413, "32768"),
                ({"input": ["data:image/png;base64,AAAA"]}, 400, "JPEG"),
                ({"input": ["data:image/png;base64,A"]}, 400, "base64"),
                ({"input": [data_url(RED)] * 65}, 413, "64")):
            answer = self.server.post("/v1/embeddings", body)
            self.assertEqual(answer.status, status, (body, answer.body))
            self.assertIn(says, answer.body.decode())
        self.assertEqual(self.server.post("/v1/embeddings", "{").status, 400)
        self.assertEqual(self.server.post("/v1/embeddings", b"\xff\xfe").status, 400)

    def test_model_names(self):
        name = self.server.get("/v1/models").json["data"][-1]["id"]
        for spelling in (name, name.upper().replace("-", "_")):
            self.embed(input="a", model=spelling)

    def test_other_endpoints_of_the_model(self):
        answer = self.server.post("/classify", {"image": [data_url(RED), data_url(BLUE)],
                                                "labels": ["red", "blue", "green"], "top": 2})
        self.assertEqual(answer.status, 200, answer.body)
        results = answer.json["results"]
        self.assertEqual(len(results), 2)
        self.assertEqual(len(results[0]["labels"]), 2)
        self.file("red.png", RED)
        command = self.succeed_json("classify", "red.png", "--labels", "red,blue,green")[0]["labels"]
        self.assertEqual(results[0]["labels"][0]["label"], command[0]["label"])
        self.assertAlmostEqual(results[0]["labels"][0]["score"], command[0]["score"], places=5)
        for body, status in (({"image": data_url(RED), "labels": []}, 400), ({"labels": ["a"]}, 400),
                             ({"image": "x", "labels": ["a"]}, 400),
                             ({"image": data_url(RED), "labels": ["a"], "templates": ["b"]}, 400),
                             ({"image": data_url(RED), "language": "../en"}, 400),
                             ({"image": data_url(RED), "labels": ["a"] * 1001}, 400)):
            self.assertEqual(self.server.post("/classify", body).status, status, body)

    def test_detect_equals_the_command(self):
        self.file("red.png", RED)
        for method in ("windows", "dense"):
            answer = self.server.post("/detect", {"image": data_url(RED), "labels": ["red", "a cat"],
                                                  "threshold": 1e-4, "method": method})
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual((answer.json["width"], answer.json["height"]), (40, 30))
            command = self.succeed_json("detect", "red.png", "--labels", "red,a cat", "--threshold", "0.0001",
                                        "--method", method)[0]["detections"]
            found = answer.json["detections"]
            self.assertGreater(len(found), 0)
            self.assertEqual([d["label"] for d in found], [d["label"] for d in command])
            for a, b in zip(found, command):
                self.assertAlmostEqual(a["score"], b["score"], places=4)
                self.assertEqual(a["box"], b["box"])
        most = self.server.post("/detect", {"image": data_url(RED), "labels": ["red", "a cat"],
                                            "threshold": 1e-4, "most": 1})
        self.assertEqual(len(most.json["detections"]), 1)

    def test_explain_equals_the_command(self):
        self.file("red.png", RED)
        for method in ("windows", "dense", "occlusion"):
            answer = self.server.post("/explain", {"image": data_url(RED), "text": "a red thing", "method": method})
            self.assertEqual(answer.status, 200, answer.body)
            command = self.succeed_json("explain", "red.png", "--text", "a red thing", "--method", method)
            heat = answer.json["heat"]
            self.assertEqual((len(heat), len(heat[0])), (answer.json["rows"], answer.json["columns"]))
            for a, b in zip(heat, command["heat"]):
                self.assert_same(a, b, 3e-5)
            self.assertEqual([w["word"] for w in answer.json["words"]], ["a", "red", "thing"])
            self.assertAlmostEqual(answer.json["similarity"], command["similarity"], places=4)

    def test_detect_and_explain_refuse(self):
        picture = data_url(RED)
        for path, body, says in (
                ("/detect", {"image": picture}, "labels"), ("/detect", {"labels": ["a"]}, "image"),
                ("/detect", {"image": picture, "labels": []}, "empty"),
                ("/detect", {"image": picture, "labels": ["a"] * 257}, "256"),
                ("/detect", {"image": picture, "labels": [1]}, "labels"),
                ("/detect", {"image": picture, "labels": ["a"], "method": "magic"}, "windows or dense"),
                ("/detect", {"image": picture, "labels": ["a"], "dense_reading": "x"}, "dense_reading"),
                ("/detect", {"image": picture, "labels": ["a"], "threshold": 1}, "threshold"),
                ("/detect", {"image": picture, "labels": ["a"], "threshold": "high"}, "threshold"),
                ("/detect", {"image": picture, "labels": ["a"], "most": 0}, "most"),
                ("/detect", {"image": picture, "labels": ["a"], "most": 1001}, "most"),
                ("/detect", {"image": "data:image/png;base64,AAAA", "labels": ["a"]}, "JPEG"),
                ("/detect", {"image": "/etc/passwd", "labels": ["a"]}, "JPEG"),
                ("/explain", {"image": picture}, "text"), ("/explain", {"text": "a"}, "image"),
                ("/explain", {"image": picture, "text": ""}, "text"),
                ("/explain", {"image": picture, "text": "a", "method": "x"}, "occlusion")):
            answer = self.server.post(path, body)
            self.assertEqual(answer.status, 400, (body, answer.body))
            self.assertIn(says, answer.body.decode())
        self.assertEqual(self.server.post("/explain", {"image": picture, "text": "a" * 2049}).status, 413)
        self.assertEqual(self.server.post("/detect", {"image": picture, "labels": ["a"], "model": "x"}).status, 404)
        # A reading that this kind of tower does not have.
        answer = self.server.post("/detect", {"image": picture, "labels": ["a"], "method": "dense",
                                              "dense_reading": "pooled"})
        self.assertEqual(answer.status, 501, answer.body)

    def test_immich(self):
        name = self.server.get("/models").json["data"][-1]["id"].replace("/", "__")
        self.assertEqual(self.server.get("/ping").body, b"pong")

        def predict(kind, **parts):
            entries = json.dumps({"clip": {kind: {"modelName": name}}})
            kind, body = form({"entries": entries, **parts})
            return self.server.ask("POST", "/predict", body, {"Content-Type": kind})

        answer = predict("visual", image=RED)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual((answer.json["imageWidth"], answer.json["imageHeight"]), (40, 30))
        self.assert_same(json.loads(answer.json["clip"]), self.vectors(input=[data_url(RED)])[0])
        answer = predict("textual", text="a cat")
        self.assert_same(json.loads(answer.json["clip"]), self.vectors(input="a cat")[0])
        self.assertEqual(predict("visual", text="a cat").status, 422)
        self.assertEqual(predict("other", text="a cat").status, 422)
        kind, body = form({"entries": '{"facial-recognition":{}}', "image": RED})
        self.assertEqual(self.server.ask("POST", "/predict", body, {"Content-Type": kind}).status, 422)

    def test_clip_as_service(self):
        encoded = self.server.post("/post", {"execEndpoint": "/", "data": [
            {"id": "x", "text": "a cat"}, {"blob": base64.b64encode(RED).decode()},
            {"uri": data_url(BLUE)}]})
        self.assertEqual(encoded.status, 200, encoded.body)
        data = encoded.json["data"]
        self.assertEqual((data[0]["id"], data[0]["text"]), ("x", "a cat"))
        self.assert_same(data[1]["embedding"], self.vectors(input=[data_url(RED)])[0])
        ranked = self.server.post("/post", {"execEndpoint": "/rank", "data": [
            {"uri": data_url(RED), "matches": [{"text": "a"}, {"text": "a cat"}, {"text": "dog"}]}]})
        matches = ranked.json["data"][0]["matches"]
        scores = [m["scores"]["clip_score"]["value"] for m in matches]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertAlmostEqual(sum(scores), 1, places=6)
        cosines = [m["scores"]["clip_score_cosine"]["value"] for m in matches]
        self.assertAlmostEqual(scores[1] / scores[0], math.exp(100 * (cosines[1] - cosines[0])), places=5)
        for body in ({"data": []}, {"data": [{}]}, {"data": [{"text": "a"}], "execEndpoint": "/x"},
                     {"data": [{"text": "a"}], "execEndpoint": "/rank"}):
            self.assertEqual(self.server.post("/post", body).status, 400, body)

    def test_health_and_metrics(self):
        for path in ("/healthz", "/livez", "/readyz", "/health"):
            self.assertEqual(self.server.get(path).status, 200, path)
        self.embed(input=["a", "b"])
        text = self.server.get("/metrics").body.decode()
        self.assertIn('openclip_requests_total{path="/v1/embeddings",status="200"} 1', text)
        self.assertIn('openclip_embedded_total{modality="text"} 3', text)  # one was the warm-up's
        self.assertIn("# TYPE openclip_request_duration_seconds histogram", text)

    def test_openapi_describes_the_routes(self):
        document = self.server.get("/openapi.json").json
        for path, methods in document["paths"].items():
            allowed = self.server.ask("OPTIONS", path.replace("{id}", "1")).headers["Allow"].split(", ")
            self.assertEqual({m.upper() for m in methods}, set(allowed) - {"HEAD", "OPTIONS"}, path)
        # Errors look as the document says.
        error = self.server.get("/nothing").json["error"]
        self.assertEqual(set(error), {"message", "type", "param", "code"})

    def test_methods_and_paths(self):
        self.assertEqual(self.server.ask("HEAD", "/healthz").body, b"")
        answer = self.server.ask("PUT", "/v1/embeddings", "x")
        self.assertEqual(answer.status, 405)
        self.assertEqual(self.server.get("/nothing").status, 404)
        answer = self.server.ask("OPTIONS", "/v1/embeddings")
        self.assertEqual((answer.status, answer.headers["Allow"]), (204, "POST, OPTIONS"))
        self.assertNotIn("Access-Control-Allow-Origin", answer.headers)
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_connections_are_kept(self):
        connection = self.server.connect()
        for _ in range(3):
            self.assertEqual(self.server.ask("GET", "/healthz", connection=connection).status, 200)
        self.assertIsNotNone(connection.sock)

    def test_pipelined_requests(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        self.assertEqual(self.server.raw(one + one + last).count(b"200 OK"), 3)

    def test_chunked_body_and_expect(self):
        body = json.dumps({"input": "a"}).encode()
        chunked = b"".join(b"1\r\n" + body[i:i + 1] + b"\r\n" for i in range(len(body))) + b"0\r\n\r\n"
        got = self.server.raw(b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                              b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n" + chunked)
        self.assertTrue(got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"), got[:200])


class OptionsTest(ServeTest):
    def test_api_keys(self):
        server = self.serve("--api-key", "one", "--api-key", "two")
        self.assertEqual(server.post("/v1/embeddings", {"input": "a"}).status, 401)
        self.assertEqual(server.get("/metrics").status, 401)
        self.assertEqual(server.get("/readyz").status, 200)
        for headers, status in (({"Authorization": "Bearer two"}, 200), ({"X-API-Key": "one"}, 200),
                                ({"Authorization": "Bearer tw"}, 401), ({"Authorization": "two"}, 401)):
            answer = server.post("/v1/embeddings", {"input": "a"}, **headers)
            self.assertEqual(answer.status, status, headers)
        self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")

    def test_key_from_the_environment(self):
        self.env["OPENCLIP_API_KEY"] = "secret"
        server = self.serve()
        self.assertEqual(server.get("/v1/models").status, 401)
        self.assertEqual(server.get("/v1/models", Authorization="Bearer secret").status, 200)

    def test_cors(self):
        server = self.serve("--cors-origin", "https://app.example")
        allowed = server.ask("OPTIONS", "/v1/embeddings", headers={"Origin": "https://app.example"})
        self.assertEqual(allowed.headers["Access-Control-Allow-Origin"], "https://app.example")
        self.assertIn("POST", allowed.headers["Access-Control-Allow-Methods"])
        other = server.get("/healthz", Origin="https://evil.example")
        self.assertNotIn("Access-Control-Allow-Origin", other.headers)

    def test_served_name(self):
        server = self.serve("--served-model-name", "text-embedding-3-small")
        self.assertEqual(server.get("/v1/models").json["data"][0]["id"], "text-embedding-3-small")
        self.assertEqual(server.post("/v1/embeddings", {"input": "a", "model": "text-embedding-3-small"}
                                     ).json["model"], "text-embedding-3-small")

    def test_usage_errors(self):
        self.refuse(2, "serve", "--port", "70000", says="--port")
        self.refuse(1, "serve", "--host", "192.0.2.1", says="192.0.2.1")
        server = self.serve()
        self.refuse(1, "serve", "--port", server.port, says=str(server.port))

    def test_access_log(self):
        server = self.serve()
        server.get("/healthz")
        server.signal()
        self.assertEqual(server.wait(), 0)
        self.assertTrue(any('127.0.0.1 "GET /healthz" 200' in line for line in server.log), server.log)


if __name__ == "__main__":
    unittest.main()
