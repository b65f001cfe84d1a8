#!/usr/bin/env python3
"""What `make run` shows: the sample pictures, named in English and Chinese by the shipped model.

    tools/run_samples.py build/openclip
"""

import glob
import json
import os
import subprocess
import sys
import unicodedata

HINTS = """
Your own pictures:  {0} classify my.png --labels "a cat,a dog,a car"
All commands:       {0} --help
In the browser:     make serve
A real CLIP:        {0} classify my.jpg --labels "a cat,a dog" --model ViT-B-32 --pretrained laion2b_s34b_b79k
                    (downloads the weights on first use, or finds what Python's open_clip downloaded)

The shipped model knows drawings, icons and emoji. For photographs use a real CLIP."""


def best_names(openclip, pictures, language):
    command = [openclip, "classify", *pictures, "--top", "1", "--language", language, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return [answer["labels"][0] for answer in json.loads(done.stdout)]


def padded(text, columns):
    """Chinese characters take two columns of a terminal."""
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return text + " " * (columns - width)


def main():
    openclip = sys.argv[1]
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    pictures = sorted(glob.glob("samples/*.png"))
    english, chinese = (best_names(openclip, pictures, language) for language in ("en", "zh"))
    print("The pictures in samples/, named by the shipped model (models/default), without any network:\n")
    print(padded("picture", 28), padded("English", 26), "      ", padded("中文", 20))
    for picture, en, zh in zip(pictures, english, chinese):
        print(padded(picture, 28), padded(en["label"], 26), f"{100 * en['score']:4.0f} % ",
              padded(zh["label"], 20), f"{100 * zh['score']:4.0f} %")
    print(HINTS.format(openclip))


if __name__ == "__main__":
    main()
