"""Art4Apps: drawings of words by one artist who was never trained on."""

import os

from PIL import Image

from common import package
from evalsets.lists import EvalList, class_label, square, trained

FOLDER = "usr/share/games/pysiogame/res/images/art4apps"


def keyed(image):
    """The JPEG's white ground made transparent, so that it is framed like other drawings."""
    image = image.convert("RGB")
    ground = image.convert("L").point(lambda v: 0 if v > 248 else 255)
    image.putalpha(ground)
    box = ground.getbbox()
    picture = image.convert("RGB")
    return picture.crop(box).convert("RGBA") if box else picture.convert("RGBA")


def main():
    out = EvalList("art4apps")
    for folder, folders, files in os.walk(package("pysiogame", FOLDER)):
        folders.sort()
        for file in sorted(files):
            concept = trained(os.path.splitext(file)[0].replace("_", " "))
            if concept:
                with Image.open(os.path.join(folder, file)) as image:
                    out.add(square(keyed(image)), class_label(concept), "drawing", origin=file)
    out.close()


if __name__ == "__main__":
    main()
