"""open_clip's usage example on numpy.

    usage.py [MODEL PRETRAINED IMAGE LABEL...]
"""
import sys

import numpy as np
from PIL import Image
import openclip as open_clip

DEFAULTS = ['ViT-B-32', 'laion2b_s34b_b79k', "docs/CLIP.png", "a diagram", "a dog", "a cat"]
name, pretrained, picture, *labels = sys.argv[1:] or DEFAULTS

model, _, preprocess = open_clip.create_model_and_transforms(name, pretrained=pretrained)
model.eval()  # nothing to do here: there is no train mode
tokenizer = open_clip.get_tokenizer(name)

image = preprocess(Image.open(picture))[np.newaxis]
text = tokenizer(labels)

image_features = model.encode_image(image)
text_features = model.encode_text(text)
image_features /= np.linalg.norm(image_features, axis=-1, keepdims=True)
text_features /= np.linalg.norm(text_features, axis=-1, keepdims=True)

text_probs = open_clip.softmax(100.0 * image_features @ text_features.T, axis=-1)

print("Label probs:", text_probs)  # prints: [[1., 0., 0.]]
