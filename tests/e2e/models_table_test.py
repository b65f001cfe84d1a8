"""docs/models.md says of every model of the registry what the program says, and no difference above the limit."""
import json
import re
import unittest

from support import ROOT, ProgramTest

LIMIT = 3e-5


class ModelsTableTest(ProgramTest):
    def setUp(self):
        super().setUp()
        lines = (ROOT / "docs/models.md").read_text().splitlines()
        self.rows = {m[1]: line for line in lines if (m := re.match(r"\| `([^`]+)` \|", line))}

    def test_every_model_with_its_tags(self):
        listed = {model["name"]: model for model in self.succeed_json("models", "list")}
        self.assertEqual(sorted(self.rows), sorted(listed), "run tools/models_table.py")
        for name in listed:
            info = self.succeed_json("models", "info", name)
            for tag in info["tags"]:
                self.assertIn(f"`{tag['tag']}`", self.rows[name], "run tools/models_table.py")
            self.assertIn(f"{info['parameters'] / 1e6:.1f} M", self.rows[name])

    def test_measured_differences(self):
        measured = json.loads((ROOT / "docs/models_measured.json").read_text())
        self.assertTrue(measured)
        for name, dtypes in measured.items():
            self.assertIn(name, self.rows)
            for dtype, parts in dtypes.items():
                for value in parts.values():
                    self.assertLessEqual(value, LIMIT, f"{name} {dtype}")
                    self.assertIn(f"{value:.0e}".replace("e-0", "e-"), self.rows[name])


if __name__ == "__main__":
    unittest.main()
