"""Flags of KGeography, among the trained flag names."""

import os

from PIL import Image

import emoji
from common import normal_name, on_white, package
from evalsets.lists import EvalList, classes, emoji_label

FOLDER = "usr/share/kgeography/flags"
OTHER_NAMES = {
    "antigua": "antigua barbuda", "bosnia herzegovina": "bosnia herzegovina", "burkina": "burkina faso", "congo brazzaville": "congo brazzaville",
    "congo kinshasa": "congo kinshasa", "czech": "czechia", "czech republic": "czechia", "emirates": "united arab emirates", "great britain": "united kingdom",
    "uk": "united kingdom", "usa": "united states", "ivory coast": "cote d ivoire", "macedonia": "north macedonia", "swaziland": "eswatini", "burma": "myanmar burma",
    "myanmar": "myanmar burma", "vatican": "vatican city", "srilanka": "sri lanka", "holland": "netherlands", "saint kitts": "st kitts nevis",
    "saint lucia": "st lucia", "saint vincent": "st vincent grenadines", "sao tome": "sao tome principe", "trinidad": "trinidad tobago", "salvador": "el salvador",
    "easttimor": "timor leste", "guineabissau": "guinea bissau", "nkorea": "north korea", "skorea": "south korea", "southafrica": "south africa",
    "southsudan": "south sudan", "saudiarabia": "saudi arabia", "uae": "united arab emirates", "dominicanrepublic": "dominican republic",
    "turk and caicos islands": "turks caicos islands", "sao tome and principe": "sao tome principe", "us virgin islands": "u s virgin islands",
    "cote divoire": "cote d ivoire", "timor": "timor leste", "east timor": "timor leste", "turkey": "turkey", "hong kong": "hong kong sar china", "palestine": "palestinian territories",
}  # fmt: skip


def plain(name):
    name = name.lower().replace("ã", "a").replace("é", "e").replace("ô", "o").replace("ç", "c").replace("å", "a").replace("&", " ")
    return normal_name(name).replace("'", " ")


def main():
    labels = [emoji_label(c) for c, e in emoji.table().items() if e["group"] == "Flags" and c in classes()]
    by_name = {plain(label["en"].removeprefix("flag of ")): label for label in labels}
    out = EvalList("kgeography", labels)
    unknown = []
    folder = package("kgeography-data", FOLDER)
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".png") or file.startswith("blurred"):
            continue
        name = plain(file[:-4])
        label = by_name.get(OTHER_NAMES.get(name, name)) or by_name.get(name.replace(" and ", " "))
        if label is None:
            unknown.append(name)
            continue
        out.add(on_white(Image.open(os.path.join(folder, file))), label, "flag", origin=file)
    out.close()
    print("flags without a trained name:", ", ".join(unknown))


if __name__ == "__main__":
    main()
