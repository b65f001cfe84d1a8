"""The words of generated captions, in English and Chinese, and prompt templates that the tokenizer should know."""

COLOURS = {
    "red": ("红色", (220, 40, 40)), "orange": ("橙色", (245, 140, 30)), "yellow": ("黄色", (250, 215, 40)),
    "green": ("绿色", (40, 160, 70)), "blue": ("蓝色", (45, 95, 215)), "purple": ("紫色", (130, 60, 180)),
    "pink": ("粉色", (245, 140, 185)), "brown": ("棕色", (125, 80, 45)), "black": ("黑色", (20, 20, 20)),
    "grey": ("灰色", (135, 135, 135)), "cyan": ("青色", (50, 200, 210)), "white": ("白色", (250, 250, 250)),
}  # fmt: skip
SHAPES = {
    "circle": "圆形", "square": "正方形", "triangle": "三角形", "star": "星形", "heart": "心形", "diamond": "菱形",
    "pentagon": "五边形", "hexagon": "六边形", "rectangle": "长方形", "ellipse": "椭圆形", "cross": "十字形",
    "crescent": "月牙形", "ring": "圆环", "arrow": "箭头",
}  # fmt: skip
NUMBERS = {1: ("one", "一"), 2: ("two", "两"), 3: ("three", "三"), 4: ("four", "四"), 5: ("five", "五")}
PLACES = {"left": ("to the left of", "的左边"), "right": ("to the right of", "的右边"), "above": ("above", "的上面"), "below": ("below", "的下面")}
TEMPLATES = {
    "en": ("a photo of a {}", "a drawing of a {}", "a picture of a {}", "an emoji of {}", "clip art of a {}", "line art of a {}", "a {} icon", "a black and white drawing of a {}", "a photo of an {}", "a photo of the {}", "an image of {}", "this is a {}"),
    "zh": ("{}的照片", "{}的图片", "一张{}的图画", "{}图标", "{}的表情符号", "一幅{}的线条画", "一个{}"),
}  # fmt: skip


IRREGULAR = {
    "mouse": "mice", "potato": "potatoes", "tomato": "tomatoes", "mosquito": "mosquitoes", "cactus": "cacti", "fish": "fish",
    "sheep": "sheep", "bison": "bison", "person": "people", "wolf": "wolves", "leaf": "leaves", "knife": "knives", "scarf": "scarves",
    "goose": "geese", "tooth": "teeth", "foot": "feet", "man": "men", "woman": "women", "child": "children", "ox": "oxen",
}  # fmt: skip


def plural(name):
    """A plain English plural, good enough for the names that are counted."""
    if name in IRREGULAR:
        return IRREGULAR[name]
    if name.endswith(("s", "sh", "ch", "x", "z")):
        return name + "es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return name[:-1] + "ies"
    return name + "s"
