"""openclip interrogate: words and prompts."""
import unittest

from support import ProgramTest, png


class InterrogateTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.file("a.png", png(60, 40))
        self.env["OPENCLIP_CACHE"] = str(self.dir / "cache")

    def test_shipped_lists(self):
        answer = self.succeed_json("interrogate", "a.png")[0]
        self.assertEqual(set(answer), {"image", "prompt", "similarity", "words"})
        self.assertEqual(list(answer["words"]), ["subjects", "mediums", "movements", "colours", "styles"])
        # The model's own labels are its subjects.
        self.assertEqual({word["word"] for word in answer["words"]["subjects"]}, {"cat", "dog", "red heart"})
        for words in answer["words"].values():
            scores = [word["score"] for word in words]
            self.assertEqual(scores, sorted(scores, reverse=True))

    def test_own_lists_and_modes(self):
        self.file("things.txt", "a cat\na red heart\na fish\n")
        self.file("looks.txt", "red\nblue\nround\n")
        lists = ("--words", "things.txt", "--words", "looks.txt")
        found = {mode: self.succeed_json("interrogate", "a.png", *lists, "--mode", mode)[0]
                 for mode in ("classic", "fast", "best")}
        first = {name: words[0]["word"] for name, words in found["best"]["words"].items()}
        self.assertEqual(found["classic"]["prompt"], f"{first['things.txt']}, {first['looks.txt']}")
        for mode in ("classic", "fast"):
            self.assertTrue(found[mode]["prompt"].startswith(first["things.txt"]))
            self.assertGreaterEqual(found["best"]["similarity"], found[mode]["similarity"] - 1e-9)
        # What the prompt is said to be like is what classify's own features say.
        again = self.succeed_json("explain", "a.png", "--text", found["best"]["prompt"])
        self.assertAlmostEqual(again["similarity"], found["best"]["similarity"], places=4)
        short = self.succeed_json("interrogate", "a.png", *lists, "--mode", "fast", "--most-words", "2")[0]
        self.assertEqual(short["prompt"].count(","), 1)

    def test_text(self):
        out = self.succeed("interrogate", "a.png", "--top", "2").splitlines()
        self.assertEqual(out[0], "a.png")
        self.assertEqual(out[3].split(":")[0].strip(), "mediums")

    def test_wrong_usage(self):
        self.refuse(2, "interrogate")
        self.refuse(2, "interrogate", "a.png", "--mode", "magic", says="--mode")
        self.refuse(1, "interrogate", "a.png", "--words", "absent.txt", says="absent.txt")
        self.refuse(1, "interrogate", "a.png", "--words", self.file("e.txt", "\n"), says="e.txt")
        self.refuse(1, "interrogate", "absent.png", says="absent.png")


if __name__ == "__main__":
    unittest.main()
