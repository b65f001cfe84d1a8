"""The coarse kind of a class (animal, food, ...), given as one more caption."""

import re

import emoji

WORDS = {"animal": "动物", "food": "食物", "vehicle": "交通工具", "tool": "工具", "plant": "植物", "building": "建筑", "clothes": "衣服",
         "musical instrument": "乐器", "furniture": "家具", "flag": "旗帜", "symbol": "符号"}  # fmt: skip
SUBGROUPS = {
    "animal-": "animal", "plant-": "plant", "food-": "food", "drink": "food", "transport-ground": "vehicle", "transport-air": "vehicle",
    "transport-water": "vehicle", "place-building": "building", "place-religious": "building", "clothing": "clothes",
    "musical-instrument": "musical instrument", "tool": "tool", "country-flag": "flag", "subdivision-flag": "flag", "flag": "flag",
}  # fmt: skip
NOT_OF_KIND = r"railway track|motorway|fuel pump|light|seat|barrier|buoy|anchor|stop sign|oil drum|construction|wheel|paw prints|feather|station|bus stop|nest|gem stone|ring|hair pick|lipstick|hand fan|beads|chains|link"
FURNITURE = r"chair|table|sofa|couch|bed|desk|cabinet|shelves|wardrobe|chest|bookcase|stool|bench|armchair|drawers|cupboard|dresser|sideboard"
CATEGORIES = {"animals": "animal", "food": "food", "plants": "plant", "tools": "tool", "buildings": "building", "signs_and_symbols": "symbol"}


def kind_of(row):
    e = emoji.table().get(row["concept"])
    name = (e["en"] if e else row["names"]["en"])[0]
    if re.search(rf"\b({FURNITURE})$", name):
        return "furniture"
    if e is None:
        return CATEGORIES.get(row.get("category")) if row["kind"] == "clip art" else None
    if e["group"] == "Symbols":
        return "symbol"
    if re.search(NOT_OF_KIND, name):
        return None
    return next((kind for start, kind in SUBGROUPS.items() if e["subgroup"].startswith(start)), None)


def words_of(row, language):
    kind = kind_of(row)
    if kind is None:
        return []
    return [kind] if language == "en" else [WORDS[kind]]
