"""openclip detect and explain: their contracts, OWL-ViT and OWLv2 against transformers' detections
(tools/goldens/owl.py), and bad input."""
import json
import shutil
import unittest

from support import ROOT, ProgramTest, png

OWL = ROOT / "tests/golden/owl"


def png_size(data):
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


class DetectTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.file("a.png", png(60, 40))
        self.file("b.png", png(33, 50, lambda x, y: (200, x, 255 - y)))

    def detect(self, *arguments):
        return self.succeed_json("detect", *arguments, "--threshold", "0.0001")

    def test_json_has_the_documented_form(self):
        answer = self.detect("a.png", "b.png", "--labels", "cat, dog")
        self.assertEqual([item["image"] for item in answer], ["a.png", "b.png"])
        for item, (width, height) in zip(answer, ((60, 40), (33, 50))):
            self.assertEqual(set(item), {"image", "detections"})
            self.assertGreater(len(item["detections"]), 0)
            scores = [found["score"] for found in item["detections"]]
            self.assertEqual(scores, sorted(scores, reverse=True))
            for found in item["detections"]:
                self.assertEqual(set(found), {"label", "score", "box"})
                self.assertIn(found["label"], ("cat", "dog"))
                x0, y0, x1, y1 = found["box"]
                self.assertTrue(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height, found)
                self.assertTrue(0 < found["score"] <= 1)

    def test_coco_results(self):
        plain = self.detect("a.png", "b.png", "--labels", "cat,dog")
        coco = json.loads(self.succeed("detect", "a.png", "b.png", "--labels", "cat,dog", "--coco",
                                       "--threshold", "0.0001"))
        self.assertEqual(len(coco), sum(len(item["detections"]) for item in plain))
        flat = [(number, found) for number, item in enumerate(plain, 1) for found in item["detections"]]
        for result, (number, found) in zip(coco, flat):
            self.assertEqual(set(result), {"image_id", "category_id", "bbox", "score"})
            self.assertEqual(result["image_id"], number)
            self.assertEqual(result["category_id"], 1 + ["cat", "dog"].index(found["label"]))
            x0, y0, x1, y1 = found["box"]
            for got, want in zip(result["bbox"], (x0, y0, x1 - x0, y1 - y0)):
                self.assertAlmostEqual(got, want, delta=0.02)

    def test_methods_differ_and_agree_with_themselves(self):
        windows = self.detect("a.png", "--labels", "cat")
        dense = self.detect("a.png", "--labels", "cat", "--method", "dense")
        self.assertNotEqual(windows, dense)
        again = self.detect("a.png", "--labels", "cat", "--threads", "1")
        for x, y in zip(windows[0]["detections"], again[0]["detections"]):
            self.assertAlmostEqual(x["score"], y["score"], places=4)

    def test_threshold_and_most(self):
        everything = self.detect("a.png", "--labels", "cat,dog")[0]["detections"]
        least = everything[len(everything) // 2]["score"]
        some = self.succeed_json("detect", "a.png", "--labels", "cat,dog", "--threshold", str(least))
        self.assertLess(len(some[0]["detections"]), len(everything) + 1)
        self.assertTrue(all(found["score"] >= least - 1e-9 for found in some[0]["detections"]))
        self.assertEqual(len(self.detect("a.png", "--labels", "cat,dog", "--most", "1")[0]["detections"]), 1)

    def test_boxes_are_drawn(self):
        self.succeed("detect", "a.png", "--labels", "cat,狗", "--threshold", "0.0001", "--out", "boxes.png")
        data = (self.dir / "boxes.png").read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        width, height = png_size(data)
        self.assertEqual(width * 40, height * 60)
        self.assertGreaterEqual(width, 300)  # enlarged, so that labels can be read
        plain = self.succeed("detect", "a.png", "--labels", "cat", "--threshold", "0.9999")
        self.assertIn("nothing found", plain)

    def test_wrong_usage(self):
        self.refuse(2, "detect", "a.png", says="--labels")
        self.refuse(2, "detect", "a.png", "--labels", "", says="--labels")
        self.refuse(2, "detect", "a.png", "--labels", "a,,b", says="empty")
        self.refuse(2, "detect", "--labels", "a")
        self.refuse(2, "detect", "a.png", "b.png", "--labels", "a", "--out", "x.png", says="--out")
        for wrong in ("0", "1", "-3", "nan"):
            self.refuse(2, "detect", "a.png", "--labels", "a", "--threshold", wrong, says="threshold")
        self.refuse(2, "detect", "a.png", "--labels", "a", "--method", "magic", says="--method")
        self.refuse(2, "detect", "a.png", "--labels", "a", "--dense-reading", "magic", says="--dense-reading")
        self.refuse(2, "detect", "a.png", "--labels", "a", "--smallest", "0.001", says="--smallest")
        self.refuse(1, "detect", "a.png", "--labels", "a", "--method", "dense", "--dense-reading", "pooled",
                    says="pooled")
        self.refuse(1, "detect", "a.png", "--like", "b.png", says="OWL")
        self.refuse(2, "detect", "a.png", "--labels", "a", "--like", "b.png", says="--like")

    def test_bad_pictures(self):
        self.file("broken.png", png(20, 20)[:60])
        done = self.run_program("detect", "broken.png", "a.png", "absent.png", "--labels", "cat", "--coco",
                                "--threshold", "0.0001")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 2)
        self.assertEqual({found["image_id"] for found in json.loads(done.stdout)}, {2})
        self.refuse(1, "detect", "broken.png", "--labels", "x", "--json", says="broken.png", out="[]\n")
        self.refuse(1, "detect", "a.png", "--labels", "x", "--out", "absent/x.png", says="absent/x.png", out=None)
        self.assertNotIn("absent", self.listing())

    def test_pictures_of_one_pixel_and_of_one_row(self):
        self.file("dot.png", png(1, 1))
        self.file("line.png", png(300, 1))
        for name in ("dot.png", "line.png"):
            for method in ("windows", "dense"):
                self.detect(name, "--labels", "cat", "--method", method)
                self.succeed("explain", name, "--text", "cat", "--method", method)


class OwlTest(ProgramTest):
    """Against transformers, from the picture's file to boxes in pixels."""

    def check(self, name):
        expected = json.loads((OWL / "expected.json").read_text())
        want = expected[name]["detections"]
        answer = self.succeed_json("detect", ROOT / expected["image"], "--model", OWL / name, "--labels",
                                   ",".join(expected["texts"]), "--threshold", expected[name]["threshold"],
                                   "--overlap", "1", "--most", "1000")
        got = answer[0]["detections"]
        self.assertEqual(len(got), len(want))
        left = list(got)
        for one in want:
            distance = lambda other: max(abs(other["score"] - one["score"]),
                                         *(abs(a - b) / 400 for a, b in zip(other["box"], one["box"])))
            nearest = min((other for other in left if other["label"] == one["label"]), key=distance)
            # 0.01 pixels are what JSON keeps of a box.
            self.assertLess(distance(nearest), 1e-4, one)
            left.remove(nearest)

    def test_owlvit(self):
        self.check("owlvit")

    def test_owlv2(self):
        self.check("owlv2")

    def test_more_like_an_example(self):
        answer = self.succeed_json("detect", ROOT / "tests/golden/image/coffee.jpg", "--model", OWL / "owlvit",
                                   "--like", ROOT / "samples/cat.png", "--threshold", "0.001")
        self.assertGreater(len(answer[0]["detections"]), 0)
        self.assertEqual({found["label"] for found in answer[0]["detections"]}, {"cat.png"})

    def test_overlapping_boxes_are_merged(self):
        self.file("a.png", png(60, 40))
        count = lambda overlap: len(self.succeed_json(
            "detect", "a.png", "--model", OWL / "owlv2", "--labels", "cat", "--threshold", "0.0001", "--overlap",
            overlap)[0]["detections"])
        self.assertLess(count("0.3"), count("1"))

    def test_it_is_a_clip_too(self):
        self.file("a.png", png(60, 40))
        scores = self.succeed_json("classify", "a.png", "--model", OWL / "owlvit", "--labels", "cat,dog")
        self.assertAlmostEqual(sum(x["score"] for x in scores[0]["labels"]), 1, places=5)
        self.refuse(1, "convert", "--model", OWL / "owlvit", "--out", "x", says="boxes")

    def test_damaged_folders(self):
        shutil.copytree(OWL / "owlvit", self.dir / "m")
        self.file("a.png", png(60, 40))
        config = json.loads((self.dir / "m/config.json").read_text())
        config["model_type"] = "owlv2"  # whose objectness head is not there
        (self.dir / "m/config.json").write_text(json.dumps(config))
        self.refuse(1, "detect", "a.png", "--model", "m", "--labels", "cat", says="objectness_head")
        config["vision_config"]["patch_size"] = 0
        (self.dir / "m/config.json").write_text(json.dumps(config))
        self.refuse(1, "detect", "a.png", "--model", "m", "--labels", "cat", says="patch_size")


class ExplainTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.file("a.png", png(60, 40))

    def test_numbers_and_overlay(self):
        for method in ("windows", "dense", "occlusion"):
            answer = self.succeed_json("explain", "a.png", "--text", "a red cat", "--method", method, "--out",
                                       "h.png")
            self.assertEqual(set(answer), {"image", "text", "similarity", "hottest", "words", "heat"})
            self.assertEqual([word["word"] for word in answer["words"]], ["a", "red", "cat"])
            rows, cols = len(answer["heat"]), len(answer["heat"][0])
            self.assertEqual(round(rows * 1.5), cols)
            values = [value for row in answer["heat"] for value in row]
            self.assertGreater(max(values), min(values))
            x, y = answer["hottest"]
            place = answer["heat"][int(y / 40 * rows)][int(x / 60 * cols)]
            self.assertEqual(place, max(values))
            self.assertEqual(png_size((self.dir / "h.png").read_bytes()), (60, 40))

    def test_words_are_what_the_similarity_falls_by(self):
        whole = self.succeed_json("explain", "a.png", "--text", "a red cat")
        without = self.succeed_json("explain", "a.png", "--text", "a  cat")
        self.assertAlmostEqual(whole["words"][1]["weight"], whole["similarity"] - without["similarity"], delta=3e-5)
        chinese = self.succeed_json("explain", "a.png", "--text", "红心 cat")
        self.assertEqual([word["word"] for word in chinese["words"]], ["红", "心", "cat"])

    def test_wrong_usage(self):
        self.refuse(2, "explain", "a.png", says="--text")
        self.refuse(2, "explain", "--text", "x")
        self.refuse(2, "explain", "a.png", "--text", "x", "--method", "magic", says="--method")
        self.refuse(1, "explain", "absent.png", "--text", "x", says="absent.png")
        self.refuse(1, "explain", self.file("bad.png", b"no picture"), "--text", "x", says="bad.png")
        self.refuse(1, "explain", "a.png", "--text", "x", "--out", "absent/h.png", says="absent/h.png")


if __name__ == "__main__":
    unittest.main()
