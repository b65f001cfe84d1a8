"""The captions of a picture: names first, then keywords, without any that names a removed concept."""

import emoji
from common import normal_name, table
from kinds import words_of


class Captions:
    def __init__(self, removed):
        entries = [emoji.table()[c] for c in removed]
        self.english = {f" {normal_name(n)} " for e in entries for n in e["en"]}
        self.english |= {phrase[:-1] + "s " for phrase in self.english}
        self.chinese = {n for e in entries for n in e["zh"] if len(n) > 1}
        self.aliases = {}
        for concept, language, text in (row[:3] for row in table("aliases.tsv")):
            self.aliases.setdefault(concept, {"en": [], "zh": []})[language].append(text)

        kept = [e for c, e in emoji.table().items() if c not in removed]
        self.safe = {e[language][0] for e in kept for language in ("en", "zh") if e[language]}
        self.safe -= {n for e in entries for n in e["en"] + e["zh"]}

    def says_removed(self, text, language):
        if text in self.safe:  # "sad but relieved face" stays when "disappointed face" goes
            return False
        if language == "zh":
            return any(n in text for n in self.chinese)
        text = f" {normal_name(text)} "
        return any(phrase in text for phrase in self.english)

    def names_removed(self, row):
        if row["concept"] in emoji.table():
            return False
        return any(self.says_removed(t, language) for language in ("en", "zh") for t in row["names"].get(language, [])[:1])

    def allowed(self, texts, language):
        out = []
        for text in texts:
            text = text.strip()
            if text and text not in out and not self.says_removed(text, language):
                out.append(text)
        return out

    def names(self, entry, concept=None):
        """The class's names; `entry` is an emoji table entry or a row."""
        found = entry.get("names", entry)
        return {language: self.allowed(found.get(language, []), language) for language in ("en", "zh")}

    def of(self, row):
        """`en` and `zh` captions and, in `named`, how many leading ones are true names rather than keywords."""
        out = {"named": {}}
        e = emoji.table().get(row["concept"], row["names"])
        for language in ("en", "zh"):
            more = self.aliases.get(row["concept"], {}).get(language, [])
            own = self.allowed(e.get(language, []) + more + row["names"].get(language, []), language)
            words = self.allowed(row.get("keywords", {}).get(language, []) + words_of(row, language), language)
            out[language] = own + [w for w in words if w not in own]
            out["named"][language] = len(own)
        return out
