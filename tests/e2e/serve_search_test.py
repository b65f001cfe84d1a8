#!/usr/bin/env python3
"""openclip serve --index: search, items, pictures, and clip-retrieval's back end."""
import base64
import colorsys
import io
import tarfile
import time
import unittest

from serve_support import RED, ServeTest, data_url
from support import png


def coloured(hue):
    """A picture too large to be given out as it is when a smaller one is asked for."""
    r, g, b = (int(255 * c) for c in colorsys.hsv_to_rgb(hue, 0.9, 0.9))
    return png(300, 200, lambda x, y: ((r + x * y * 7919 % 61) % 256, (g + x * 31 % 47) % 256, (b + y * x % 53) % 256))


class SearchTest(ServeTest):
    def setUp(self):
        super().setUp()
        for i in range(8):
            self.file(f"pictures/{i}.png", coloured(i / 8))
        self.succeed("index", "pictures", "--out", "shop.index")
        self.server = self.serve("--index", "shop.index")

    def search(self, **body):
        answer = self.server.post("/search", body)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["hits"]

    def ids(self, **body):
        return [hit["id"] for hit in self.search(**body)]

    def test_equals_the_search_command(self):
        for arguments, body in ((["--text", "a cat"], {"text": "a cat"}),
                                (["--like", 2, "--dislike", 3], {"like": [2], "dislike": [3]}),
                                (["--query", '"a cat" - 0.5 id:4'], {"query": '"a cat" - 0.5 id:4'}),
                                (["--image", "pictures/5.png"],
                                 {"image": data_url((self.dir / "pictures/5.png").read_bytes())}),
                                (["--text", "a cat", "--where", "path ~ 5"], {"text": "a cat", "where": ["path ~ 5"]}),
                                (["--text", "a", "--relative-cut", 0.99], {"text": "a", "relative_cut": 0.99}),
                                (["--text", "a", "--fold", 0.9], {"text": "a", "fold": 0.9})):
            want = self.succeed_json("search", "shop.index", *arguments, "-k", 6)
            got = self.search(k=6, **body)
            self.assertEqual([h["id"] for h in got], [h["id"] for h in want], body)
            for a, b in zip(got, want):
                self.assertAlmostEqual(a["score"], b["score"], places=5)
                self.assertEqual(a["path"], b["path"])
                self.assertEqual(a["folded"], b.get("folded", []))

    def test_pages_join(self):
        all_ids = self.ids(text="a cat", k=8)
        self.assertEqual(self.ids(text="a cat", k=3, offset=0) + self.ids(text="a cat", k=3, offset=3)
                         + self.ids(text="a cat", k=3, offset=6), all_ids)

    def test_items_and_indices(self):
        indices = self.server.get("/indices").json["indices"]
        self.assertEqual((indices[0]["name"], indices[0]["size"]), ("shop", 8))
        first = self.server.get("/items?k=5").json
        second = self.server.get(f"/items?k=5&after={first['next']}").json
        self.assertEqual([i["id"] for i in first["items"] + second["items"]], list(range(1, 9)))
        self.assertIsNone(second["next"])
        self.assertEqual(self.server.get("/items?after=8").json, {"items": [], "next": None})

    def test_pictures(self):
        hit = self.search(text="a", k=1)[0]
        answer = self.server.get(hit["picture"])
        with open(hit["path"], "rb") as file:
            self.assertEqual(answer.body, file.read())
        self.assertEqual(answer.headers["Content-Type"], "image/png")
        small = self.server.get(hit["picture"] + "?size=64")
        self.assertEqual(small.headers["Content-Type"], "image/jpeg")
        self.assertLess(len(small.body), 8000)
        for path, status in (("/pictures/99", 404), ("/pictures/x", 400), ("/pictures/1?size=9999", 400),
                             ("/pictures/-1", 400), ("/pictures/1?index=other", 404)):
            self.assertEqual(self.server.get(path).status, status, path)

    def test_only_pictures_are_given_out(self):
        path = self.search(text="a", k=1)[0]["path"]
        with open(path, "w") as file:
            file.write("a secret text")
        answers = [self.server.get(h["picture"]) for h in self.search(text="a", k=8)]
        self.assertEqual(sorted(a.status for a in answers), [200] * 7 + [404])
        self.assertFalse(any(b"secret" in a.body for a in answers))

    def test_refusals(self):
        for body, status in (({}, 400), ({"text": "a", "k": 0}, 400), ({"text": "a", "k": 1001}, 400),
                             ({"like": [99]}, 404), ({"like": ["1"]}, 400), ({"text": "a", "where": ["?"]}, 400),
                             ({"text": "a", "relative_cut": 2}, 400), ({"query": '"a" + image:/etc/passwd'}, 400),
                             ({"text": "a", "index": "other"}, 404), ({"query": "id:1 - id:1"}, 400)):
            answer = self.server.post("/search", body)
            self.assertEqual(answer.status, status, (body, answer.body))

    def test_takes_up_what_is_indexed_meanwhile(self):
        self.assertEqual(len(self.ids(text="a", k=50)), 8)
        self.file("pictures/new.png", RED)
        self.succeed("index", "pictures", "--out", "shop.index")
        time.sleep(2.1)
        self.assertEqual(len(self.ids(text="a", k=50)), 9)

    def test_clip_retrieval(self):
        self.assertEqual(self.server.get("/indices-list").json, ["shop"])
        picture = (self.dir / "pictures/3.png").read_bytes()
        ask = {"text": None, "image": base64.b64encode(picture).decode(), "image_url": None,
               "embedding_input": None, "modality": "image", "num_images": 2, "num_result_ids": 5,
               "indice_name": "shop", "use_mclip": False, "deduplicate": True, "use_safety_model": True,
               "use_violence_detector": True, "aesthetic_score": "9", "aesthetic_weight": "0.5"}
        rows = self.server.post("/knn-service", ask).json
        self.assertTrue(rows[0]["image_path"].endswith("3.png"))
        self.assertGreater(rows[0]["similarity"], 0.999)
        self.assertIn("image", rows[0])
        self.assertEqual(set(rows[-1]) - {"image", "image_path"}, {"id", "similarity"})
        vector = self.server.post("/v1/embeddings", {"input": data_url(picture)}).json["data"][0]["embedding"]
        again = self.server.post("/knn-service", {**ask, "image": None, "embedding_input": vector}).json
        self.assertEqual(again[0]["id"], rows[0]["id"])
        meta = self.server.post("/metadata", {"indice_name": "shop", "ids": [rows[0]["id"], 999]}).json
        self.assertEqual(len(meta), 1)
        self.assertTrue(meta[0]["metadata"]["image_path"].endswith("3.png"))
        for change, status in (({"indice_name": "x"}, 404), ({"modality": "text"}, 400), ({"num_images": 0}, 400),
                               ({"image": None}, 400)):
            self.assertEqual(self.server.post("/knn-service", {**ask, **change}).status, status, change)

    def test_pictures_in_archives(self):
        with tarfile.open(self.dir / "a.tar", "w") as tar:
            for name in ("x.png", "y.png"):
                data = coloured(0.1 if name == "x.png" else 0.6)
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        self.succeed("index", "a.tar", "--out", "tar.index")
        server = self.serve("--index", "tar.index")
        item = server.get("/items").json["items"][1]
        self.assertTrue(item["path"].endswith("a.tar/y.png"))
        self.assertEqual(server.get(item["picture"]).body, coloured(0.6))


class StartTest(ServeTest):
    def test_several_indices(self):
        self.file("a/1.png", RED)
        self.file("b/2.png", coloured(0.5))
        for name in "ab":
            self.succeed("index", name, "--out", f"{name}.index")
        server = self.serve("--index", "a.index", "--index", "b.index")
        self.assertEqual(server.get("/indices-list").json, ["a", "b"])
        hit = server.post("/search", {"text": "x", "index": "b"}).json["hits"][0]
        self.assertEqual(server.get(hit["picture"]).body, coloured(0.5))

    def test_problems_with_the_index(self):
        self.refuse(1, "serve", "--index", "nothing.index", says="nothing.index")
        self.file("a/1.png", RED)
        self.succeed("index", "a", "--out", "a.index")
        self.refuse(2, "serve", "--index", "a.index", "--index", "a.index/", says="'a'")

    def test_without_an_index(self):
        server = self.serve()
        self.assertEqual(server.get("/indices").json, {"indices": []})
        self.assertEqual(server.get("/indices-list").json, [])
        answer = server.post("/search", {"text": "a"})
        self.assertEqual(answer.status, 404)
        self.assertIn("--index", answer.error)


if __name__ == "__main__":
    unittest.main()
