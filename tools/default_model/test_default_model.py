"""Checks of the chain that need no downloads but those of the emoji tables; run with WORKDIR set after build.sh.

    python3 -m unittest -v test_default_model
"""

import json
import os
import tarfile
import unittest

import numpy as np
from PIL import Image

import emoji
from captions import Captions
from common import normal_name, table, work
from dhash import copies, dhash, small
from evaluate import differences, interval, ranks
from roughen import simplify
from vector import Layer, area, render

SQUARE = (("M", 0.0, 0.0), ("L", 1.0, 0.0), ("L", 1.0, 1.0), ("L", 0.0, 1.0), ("Z",))
built = unittest.skipUnless(os.path.exists(work("manifest.jsonl")), "needs a finished build.sh")
fetched = unittest.skipUnless(os.path.exists(work("root", "unicode-cldr-core")), "needs fetch.sh")


class Arithmetic(unittest.TestCase):
    def test_concepts_drop_presentation_and_skin_tone(self):
        self.assertEqual(emoji.concept_of([0x2764, 0xFE0F]), "2764")
        self.assertEqual(emoji.concept_of([0x1F44B, 0x1F3FD]), "1f44b")

    def test_groups_join_genders(self):
        self.assertEqual(emoji.group_of("1f468-200d-1f33e"), emoji.group_of("1f469-200d-1f33e"))
        self.assertEqual(emoji.group_of("1f3c4-200d-2640"), "1f3c4")

    def test_names_are_plain_words(self):
        self.assertEqual(emoji.tidy_en("flag: Germany"), "flag of Germany")
        self.assertEqual(emoji.tidy_en("man: bald"), "bald man")
        self.assertEqual(emoji.tidy_zh("旗: 德国"), "德国旗")

    def test_rank_counts_ties_against(self):
        scores = np.array([[0.5, 0.5, 0.1], [0.9, 0.2, 0.1]])
        right = np.array([[True, False, False], [True, False, False]])
        self.assertEqual(ranks(scores, right).tolist(), [1, 0])

    def test_differences_are_paired(self):
        row = {"list": "l", "metric": "m", "language": "en", "n": 100}
        half = np.array([1.0, 0.0] * 50)
        rows = [[{**row, "top1": hits.mean(), "hits": hits}] for hits in (half, half, np.ones(100))]
        self.assertIn("| +0.0 (+0.0 to +0.0) |", differences(rows[0], rows[1]))  # however wide each one's own interval is
        self.assertIn("| +50.0 (+40.0 to +60.0) |", differences(rows[2], rows[0]))

    def test_interval_holds_the_mean(self):
        low, high = interval(np.array([1.0] * 30 + [0.0] * 70))
        self.assertTrue(0.2 < low < 0.3 < high < 0.4)

    def test_area_and_rendering(self):
        layer = Layer(SQUARE, (1, 0, 0, 1))
        self.assertAlmostEqual(area(layer), 1.0)
        self.assertEqual(render([layer], 40).getpixel((20, 20)), (255, 0, 0, 255))

    def test_simplify_keeps_corners(self):
        line = [(i / 20, 0.0) for i in range(20)] + [(1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
        self.assertEqual(len(simplify(line, 0.01)), 4)

    def test_copies_are_found_and_others_not(self):
        blue, green = (0.3, 0.3, 0.8, 1), (0.1, 0.6, 0.1, 1)
        a = render([Layer(SQUARE, blue), Layer(tuple((o[0], *(0.3 + 0.2 * v for v in o[1:])) for o in SQUARE), green)], 90)
        b = a.resize((61, 61), Image.BICUBIC)
        other = render([Layer((("M", 0.5, 0.0), ("L", 1.0, 1.0), ("L", 0.0, 1.0), ("Z",)), green)], 90)
        self.assertLessEqual(bin(dhash(a) ^ dhash(b)).count("1"), 8)
        self.assertTrue(copies(small(a), small(b)))
        self.assertFalse(copies(small(a), small(other)))


@fetched
class Tables(unittest.TestCase):
    def test_counts(self):
        self.assertEqual(len(emoji.table()), 1870)
        self.assertEqual(sum(bool(e["zh"]) for e in emoji.table().values()), 1849)

    def test_tables_name_known_concepts_correctly(self):
        for name in ("heldout.tsv", "merged.tsv", "noflip.tsv"):
            for concept, _, text in table(name):
                self.assertEqual(emoji.table()[concept]["en"][0], text, name)
        for concept, language, _ in table("aliases.tsv"):
            self.assertIn(concept, emoji.table())
            self.assertIn(language, ("en", "zh"))

    def test_removed_groups_are_whole(self):
        removed = {row[0] for row in table("heldout.tsv")}
        groups = {emoji.group_of(c) for c in removed}
        self.assertEqual(removed, {c for c in emoji.table() if emoji.group_of(c) in groups})


@built
class Build(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(work("manifest.jsonl"), encoding="utf-8") as f:
            cls.manifest = [json.loads(line) for line in f]

    def test_no_removed_concept_is_trained_or_named(self):
        removed = {row[0] for row in table("heldout.tsv")}
        captions = Captions(removed)
        for row in self.manifest:
            self.assertNotIn(row["concept"], removed)
            for language in ("en", "zh"):
                for text in row[language]:
                    self.assertFalse(captions.says_removed(text, language), (row["id"], text))

    def test_evaluation_sources_are_not_trained(self):
        sources = {row["source"] for row in self.manifest}
        self.assertFalse(sources & {"openmoji", "art4apps", "tuxpaint", "gcompris", "kgeography"})

    def test_pictures_fit_and_are_named(self):
        for row in self.manifest[::97]:
            with Image.open(work(row["path"])) as image:
                self.assertEqual((max(image.size), image.mode), (96, "RGBA"))
            self.assertTrue(row["en"])
            self.assertGreaterEqual(len(row["en"]), row["named"]["en"])

    def test_shards_hold_pairs(self):
        folder = work("shards", "train")
        for shard in sorted(os.listdir(folder)):
            with tarfile.open(os.path.join(folder, shard)) as tar:
                members = tar.getmembers()
                keys = [m.name for m in members]
                self.assertTrue(all(m.mtime == 0 for m in members))
            self.assertEqual([k[:-4] for k in keys[::2]], [k[:-5] for k in keys[1::2]])

    def test_names_are_normal(self):
        self.assertEqual(normal_name("  Ice_Cream-cone "), "ice cream cone")


if __name__ == "__main__":
    unittest.main()
