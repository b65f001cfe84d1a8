"""openclip classify: contracts of its output, its labels and its templates."""
import json
import unicodedata
import unittest

from support import ProgramTest, png


class ClassifyTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.file("a.png", png(40, 30))
        self.file("b.png", png(30, 50, lambda x, y: (200, x, 255 - y)))

    def test_json_has_the_documented_form(self):
        answer = self.succeed_json("classify", "a.png", "b.png", "--labels", "cat, dog,red car")
        self.assertEqual([item["image"] for item in answer], ["a.png", "b.png"])
        for item in answer:
            self.assertEqual(set(item), {"image", "labels"})
            self.assertEqual({x["label"] for x in item["labels"]}, {"cat", "dog", "red car"})
            scores = [x["score"] for x in item["labels"]]
            self.assertEqual(scores, sorted(scores, reverse=True))
            self.assertAlmostEqual(sum(scores), 1, places=6)

    def test_same_answer_alone_and_among_others(self):
        both = self.succeed_json("classify", "a.png", "b.png", "--labels", "cat,dog")
        alone = self.succeed_json("classify", "b.png", "--labels", "cat,dog", "--threads", "1")
        for x, y in zip(both[1]["labels"], alone[0]["labels"]):
            self.assertAlmostEqual(x["score"], y["score"], places=4)

    def test_the_models_own_labels(self):
        labels = lambda *more: {x["label"] for x in
                                self.succeed_json("classify", "a.png", *more)[0]["labels"]}
        self.assertEqual(labels(), {"cat", "dog", "red heart"})
        self.assertEqual(labels("--language", "zh"), {"猫", "狗", "红心"})
        self.refuse(1, "classify", "a.png", "--language", "fr", says=("'fr'", "en, zh"))

    def test_top(self):
        answer = self.succeed_json("classify", "a.png", "--labels", "a,b,c", "--top", "2")
        self.assertEqual(len(answer[0]["labels"]), 2)
        for wrong in ("0", "-1", "x"):
            self.refuse(2, "classify", "a.png", "--labels", "a", "--top", wrong, says="--top")

    def test_templates(self):
        plain = self.succeed_json("classify", "a.png", "--labels", "cat,dog")
        itself = self.succeed_json("classify", "a.png", "--labels", "cat,dog", "--template", "{}")
        other = self.succeed_json("classify", "a.png", "--labels", "cat,dog", "--template", "a {}.",
                                  "--template", "my {} and {}")
        self.assertEqual(plain, itself)
        self.assertNotEqual(plain[0]["labels"][0]["score"], other[0]["labels"][0]["score"])
        self.succeed("classify", "a.png", "--labels", "cat,dog", "--templates", "openai")
        self.refuse(1, "classify", "a.png", "--labels", "a", "--templates", "opneai", says="openai")
        self.refuse(2, "classify", "a.png", "--labels", "a", "--template", "no place", says="no place")

    def test_labels_file(self):
        self.file("labels.txt", "\ufeffcat\r\n\r\n  red car \r\ndog")
        answer = self.succeed_json("classify", "a.png", "--labels-file", "labels.txt")
        self.assertEqual({x["label"] for x in answer[0]["labels"]}, {"cat", "red car", "dog"})

    def test_bad_labels(self):
        self.refuse(2, "classify", "a.png", "--labels", "", says="--labels")
        self.refuse(2, "classify", "a.png", "--labels", "a,,b", says="empty")
        self.refuse(2, "classify", "a.png", "--labels", "a,b,a", says=("'a'", "twice"))
        self.refuse(1, "classify", "a.png", "--labels-file", self.file("e.txt", "\n \n"),
                  says="e.txt")
        self.refuse(1, "classify", "a.png", "--labels-file", self.file("d.txt", "x\ny\nx\n"),
                  says=("d.txt", "'x'"))
        self.refuse(1, "classify", "a.png", "--labels-file", "absent.txt", says="absent.txt")
        self.refuse(2, "classify", "a.png", "--labels", "a", "--labels-file", "d.txt",
                  says="--labels")

    def test_table_is_aligned_with_wide_characters(self):
        out = self.succeed("classify", "a.png", "--labels", "cat,红色的心,ねこ")
        lines = out.splitlines()
        self.assertEqual(lines[0], "a.png")
        width = lambda text: sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
        self.assertEqual(len({width(line) for line in lines[1:]}), 1, out)
        self.assertTrue(all(line.endswith(" %") for line in lines[1:]))

    def test_a_bad_picture_does_not_stop_the_others(self):
        done = self.run_program("classify", "a.png", "absent.png", "b.png", "--labels", "x,y",
                                "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([x["image"] for x in json.loads(done.stdout)], ["a.png", "b.png"])
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("absent.png", done.stderr)

    def test_no_picture_at_all(self):
        self.refuse(1, "classify", "absent.png", "--labels", "x", "--json", says="absent.png",
                  out="[]\n")
        self.refuse(2, "classify", "--labels", "x")

    def test_file_names_cannot_drive_the_terminal(self):
        name = self.file("\x1b[31m\nx.png", png(8, 8))
        out = self.succeed("classify", name, "--labels", "a,b")
        self.assertNotIn("\x1b", out)
        self.refuse(1, "classify", "\x1b[2J\nabsent.png", "--labels", "a", says="absent.png")


if __name__ == "__main__":
    unittest.main()
