"""The package openclip as its users see it, against numbers of Python's open_clip
(tools/goldens/tiny_features.py, tools/goldens/image.py). Needs numpy and Pillow, no torch."""
import json
import math
import pathlib
import pickle
import sys
import threading
import unittest

import numpy as np
from PIL import Image

import openclip

ROOT = pathlib.Path(__file__).resolve().parents[3]
TINY = f"local-dir:{ROOT}/tests/golden/tiny_model"
GOLDEN = json.loads((ROOT / "tests/golden/tiny_features.json").read_text())
PICTURES = ROOT / "tests/golden/image"
CAT = ROOT / "samples/cat.png"
TOLERANCE = 2e-5  # tests/e2e/parity_test.py


def address(array):
    return array.__array_interface__["data"][0]


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model, none, cls.preprocess = openclip.create_model_and_transforms(TINY)
        assert none is None
        cls.tokenizer = openclip.get_tokenizer(TINY)

    def close(self, found, expected, tolerance=TOLERANCE):
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


class FeaturesTest(Base):
    def test_numbers_of_open_clip(self):
        images = np.stack([self.preprocess(ROOT / path) for path in GOLDEN["images"]])
        features = self.model.encode_image(images, normalize=True)
        self.assertEqual((features.dtype, features.shape), (np.float32, (3, 16)))
        self.close(features, GOLDEN["image_features"])
        ids = self.tokenizer(GOLDEN["prompts"])
        self.assertEqual(ids.dtype, np.int64)
        np.testing.assert_array_equal(ids, GOLDEN["ids"])
        self.close(self.model.encode_text(ids, normalize=True), GOLDEN["text_features"])

    def test_classifier(self):
        classifier = openclip.build_zero_shot_classifier(
            self.model, self.tokenizer, GOLDEN["labels"], GOLDEN["templates"])
        images = np.stack([self.preprocess(ROOT / path) for path in GOLDEN["images"]])
        logits = np.exp(self.model.logit_scale) * self.model.encode_image(images, True) @ classifier
        self.close(openclip.softmax(logits), GOLDEN["scores"])

    def test_forward(self):
        image, text = self.preprocess(CAT)[None], self.tokenizer("a cat")
        image_features, text_features, scale = self.model(image, text)
        self.close(image_features, self.model.encode_image(image, normalize=True), 0)
        self.close(scale, 20, 0.05)
        by_image, by_text = self.model.get_logits(image, text)
        self.close(by_image, scale * image_features @ text_features.T, 1e-5)
        self.assertEqual(by_text.shape, (1, 1))

    def test_arrays_are_read_where_they_lie(self):
        image = self.preprocess(CAT)[None]
        self.assertEqual(openclip._core.data_address(image), address(image))
        part = np.zeros((5, 3, 32, 32), np.float32)[2:4]
        self.assertEqual(openclip._core.data_address(part), address(part))

    def test_results_are_written_where_they_stay(self):
        image, text = self.preprocess(CAT)[None], self.tokenizer(["a", "b"])
        out = np.full((1, 16), 7, np.float32)
        place = address(out)
        self.assertIs(self.model.encode_image(image, out=out), out)
        self.assertEqual(address(out), place)
        self.close(out, self.model.encode_image(image), 0)
        rows = np.zeros((4, 16), np.float32)
        self.model.encode_text(text, normalize=True, out=rows[1:3])
        self.close(rows[1:3], self.model.encode_text(text, normalize=True), 0)
        self.assertTrue((rows[[0, 3]] == 0).all())
        features = self.model.encode_image(image)
        self.assertTrue(features.flags.writeable and features.flags.c_contiguous)
        features /= np.linalg.norm(features, axis=-1, keepdims=True)
        self.close(np.linalg.norm(features), 1, 1e-6)
        with self.assertRaises(ValueError):
            self.model.encode_image(image, out=np.zeros((2, 16), np.float32))
        with self.assertRaises(TypeError):  # a copy would be filled and thrown away
            self.model.encode_image(image, out=np.zeros((1, 16), np.float64))

    def test_results_outlive_the_model(self):
        model, preprocess = openclip.create_model_from_pretrained(TINY)
        features = model.encode_image(preprocess(CAT)[None])
        copy = features.copy()
        del model, preprocess
        np.testing.assert_array_equal(features, copy)

    def test_other_element_types_and_layouts(self):
        image = self.preprocess(CAT)[None]
        expected = self.model.encode_image(image)
        for other in (image.astype(np.float64), np.asfortranarray(image), image[0]):
            self.close(self.model.encode_image(other), expected, 1e-6)
        text = self.tokenizer("a cat")
        self.close(self.model.encode_text(text.astype(np.int32)), self.model.encode_text(text), 0)
        self.close(self.model.encode_text(text.tolist()), self.model.encode_text(text), 0)

    def test_nothing(self):
        self.assertEqual(self.model.encode_image(np.zeros((0, 3, 32, 32), np.float32)).shape,
                         (0, 16))
        self.assertEqual(self.model.encode_text(np.zeros((0, 16), np.int64)).shape, (0, 16))

    def test_threads(self):
        """One model in several threads: numbers are the same."""
        images = np.repeat(self.preprocess(CAT)[None], 64, axis=0)
        expected = self.model.encode_image(images)
        found = []
        workers = [threading.Thread(target=lambda: found.append(self.model.encode_image(images)))
                   for _ in range(4)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
        self.assertEqual(len(found), 4)
        for features in found:
            np.testing.assert_array_equal(features, expected)

    def test_other_threads_run_during_a_call(self):
        """A thread that counts and sleeps in turn gets far while one call computes. A call that held
        the GIL would let it count once, at its end, however long it took; on a busy machine a short
        call may do the same without holding it, so that calls grow until one leaves time to count."""
        picture = self.preprocess(CAT)
        counted, done = [0], threading.Event()

        def count():
            while not done.is_set():
                counted[0] += 1
                done.wait(0.0001)

        counter = threading.Thread(target=count)
        counter.start()
        most, pictures = 0, 64
        while most <= 3 and pictures <= 16384:
            images = np.repeat(picture[None], pictures, axis=0)
            before = counted[0]
            self.model.encode_image(images)
            most = max(most, counted[0] - before)
            pictures *= 2
        done.set()
        counter.join()
        self.assertGreater(most, 3)


class PreprocessTest(Base):
    def test_every_golden_picture_from_pillow_is_as_from_the_file(self):
        """The files' own numbers are compared with open_clip's in src/image/golden_test.cc."""
        modes, compared = set(), 0
        for path in sorted(PICTURES.iterdir()):
            if path.suffix not in (".png", ".jpg", ".webp", ".gif", ".bmp"):
                continue
            try:
                expected = self.preprocess(path)
            except openclip.Error:
                continue  # what neither reads
            with Image.open(path) as image:
                modes.add(image.mode)
                np.testing.assert_array_equal(self.preprocess(image), expected, err_msg=str(path))
            compared += 1
        self.assertGreater(compared, 80)
        self.assertLessEqual({"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"}, modes)

    def test_path_bytes_and_array_are_the_same(self):
        expected = self.preprocess(str(CAT))
        self.assertEqual((expected.dtype, expected.shape), (np.float32, (3, 32, 32)))
        data = CAT.read_bytes()
        for picture in (CAT, data, bytearray(data), memoryview(data), Image.open(CAT),
                        np.asarray(Image.open(CAT))):
            np.testing.assert_array_equal(self.preprocess(picture), expected)
        rgb = np.asarray(Image.open(CAT).convert("RGB"))
        mirrored = np.asarray(Image.fromarray(rgb[:, ::-1].copy()))
        np.testing.assert_array_equal(self.preprocess(rgb[:, ::-1]), self.preprocess(mirrored))

    def test_rare_modes_of_pillow(self):
        """YCbCr and others are resized by Pillow itself; here against the same steps by hand."""
        source = Image.open(PICTURES / "astronaut.jpg")
        transform = openclip.image_transform(48)
        for mode in ("YCbCr", "HSV", "LAB", "F", "I"):
            image = (source.convert("L") if mode in "FI" else source).convert(mode)
            width, height = image.size
            size = (48, int(48 * height / width)) if width <= height else (
                int(48 * width / height), 48)
            resized = image.resize(size, Image.BICUBIC)
            left, top = round((size[0] - 48) / 2), round((size[1] - 48) / 2)
            rgb = np.asarray(resized.crop((left, top, left + 48, top + 48)).convert("RGB"))
            mean, std = np.float32(transform.preprocess_cfg["mean"]), np.float32(
                transform.preprocess_cfg["std"])
            expected = (rgb.astype(np.float32) / np.float32(255) - mean) / std
            np.testing.assert_array_equal(transform(image), expected.transpose(2, 0, 1))

    def test_settings(self):
        transform = openclip.image_transform(
            (20, 30), mean=(0, 0, 0), std=(1, 1, 1), resize_mode="squash", interpolation="bilinear")
        self.assertEqual(transform.image_size, (20, 30))
        self.assertEqual(transform(np.full((5, 5), 255, np.uint8)).tolist(),
                         np.ones((3, 20, 30)).tolist())
        self.assertEqual(transform.preprocess_cfg["interpolation"], "bilinear")
        with self.assertRaises(ValueError):
            openclip.image_transform(224, resize_mode="fit")
        model, _, preprocess = openclip.create_model_and_transforms(
            TINY, image_mean=(0, 0, 0), image_resize_mode="squash")
        self.assertEqual(preprocess.preprocess_cfg["mean"], (0, 0, 0))
        self.assertEqual(model.visual.image_size, (32, 32))

    def test_wrong_pictures(self):
        for wrong in (np.zeros((4, 4, 3)), np.zeros((4, 4, 5), np.uint8), np.zeros(4, np.uint8)):
            with self.assertRaises(ValueError):
                self.preprocess(wrong)
        with self.assertRaises(TypeError):
            self.preprocess(3)
        with self.assertRaises(FileNotFoundError):
            self.preprocess("/nowhere.png")
        with self.assertRaises(openclip.ParseError):
            self.preprocess(b"no picture")


class TokenizerTest(Base):
    def test_forms(self):
        self.assertEqual(self.tokenizer("a cat").shape, (1, 16))
        self.assertEqual(self.tokenizer(["a", "b"], context_length=9).shape, (2, 9))
        self.assertEqual(openclip.get_tokenizer(TINY, context_length=7)("a").shape, (1, 7))
        self.assertEqual(self.tokenizer([]).shape, (0, 16))
        ids = self.tokenizer.encode("a cat")
        self.assertEqual(self.tokenizer.decode(ids).strip(), "a cat")
        row = self.tokenizer("a cat")[0].tolist()
        self.assertEqual(row[:4], [self.tokenizer.sot_token_id, *ids, self.tokenizer.eot_token_id])

    def test_truncation_is_reported(self):
        self.assertEqual(self.tokenizer.truncated(["a", "x" * 100]), [1])


class ApiTest(Base):
    def test_facts(self):
        self.assertEqual(self.model.context_length, 16)
        self.assertEqual(self.model.embed_dim, 16)
        self.assertEqual(self.model.image_size, 32)
        self.assertAlmostEqual(float(self.model.logit_scale), math.log(20), delta=2e-3)
        self.assertIsNone(self.model.logit_bias)
        self.assertIs(self.model.eval(), self.model)
        self.assertIs(self.model.to("cpu"), self.model)
        self.assertEqual(self.model.config["embed_dim"], 16)
        self.assertIn("tiny_model", repr(self.model))

    def test_lists(self):
        self.assertIn("ViT-B-32", openclip.list_models())
        self.assertIn(("ViT-B-32", "laion2b_s34b_b79k"), openclip.list_pretrained())
        self.assertIn("ViT-B-32:laion2b_s34b_b79k", openclip.list_pretrained(as_str=True))
        self.assertIn("openai", openclip.list_pretrained_tags_by_model("ViT-B-32"))
        self.assertIn("ViT-L-14", openclip.list_pretrained_models_by_tag("openai"))
        self.assertEqual(len(openclip.OPENAI_IMAGENET_TEMPLATES), 80)

    def test_one_tower(self):
        model = openclip.create_model(TINY, towers="text")
        self.assertEqual(model.encode_text(self.tokenizer("a")).shape, (1, 16))
        with self.assertRaises(ValueError):
            model.encode_image(self.preprocess(CAT)[None])

    def test_the_shipped_model(self):
        model, preprocess = openclip.create_model_from_pretrained()
        features = model.encode_image(preprocess(CAT)[None], normalize=True)
        texts = model.encode_text(openclip.get_tokenizer()(["cat", "car"]), normalize=True)
        first, second = (features @ texts.T)[0]
        self.assertGreater(first, second)

    def test_errors(self):
        with self.assertRaisesRegex(FileNotFoundError, "ViT-B-32") as caught:
            openclip.create_model_and_transforms("ViT-B-23")
        self.assertIsInstance(caught.exception, openclip.Error)
        self.assertIsInstance(caught.exception, RuntimeError)
        with self.assertRaises(NotImplementedError):
            openclip.create_model_and_transforms(TINY, precision="fp16")
        with self.assertRaises(ValueError):
            openclip.create_model_and_transforms(TINY, precision="f7")
        with self.assertRaises(ValueError):
            openclip.create_model_and_transforms(TINY, device="cuda")
        with self.assertRaises(NotImplementedError):
            openclip.create_model_and_transforms(TINY, jit=True)
        with self.assertRaisesRegex(ValueError, r"\[n, 3, 32, 32\]"):
            self.model.encode_image(np.zeros((1, 3, 224, 224), np.float32))
        with self.assertRaises(ValueError):
            self.model.encode_text(np.full((1, 16), 10**6))
        with self.assertRaises(TypeError):
            pickle.dumps(self.model._core)

    def test_signatures_are_open_clips(self):
        """The arguments of open_clip 3.3.0 in its order; what follows is keyword-only."""
        import inspect
        expected = {
            "create_model_and_transforms": "model_name pretrained load_weights precision device jit "
            "force_quick_gelu force_custom_text force_patch_dropout force_image_size "
            "force_context_length image_mean image_std image_interpolation image_resize_mode "
            "aug_cfg pretrained_image pretrained_text pretrained_image_path pretrained_text_path "
            "cache_dir output_dict weights_only",
            "create_model_from_pretrained": "model_name pretrained precision device jit "
            "force_quick_gelu force_custom_text force_image_size force_context_length image_mean "
            "image_std image_interpolation image_resize_mode return_transform cache_dir "
            "weights_only",
            "get_tokenizer": "model_name context_length cache_dir",
            "tokenize": "texts context_length",
            "list_pretrained": "as_str",
            "image_transform": "image_size is_train mean std resize_mode interpolation fill_color",
        }
        for name, arguments in expected.items():
            parameters = inspect.signature(getattr(openclip, name)).parameters.values()
            positional = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
            self.assertEqual(positional, arguments.split(), name)

    def test_types_are_described(self):
        folder = pathlib.Path(openclip.__file__).parent
        self.assertTrue((folder / "py.typed").exists())
        stub = (folder / "_core.pyi").read_text()
        for name in ("class Model", "class Preprocess", "class Tokenizer", "def encode_image"):
            self.assertIn(name, stub)
        for name in openclip.__all__:
            self.assertTrue(hasattr(openclip, name), name)
        self.assertNotIn("torch", sys.modules)


def tensor_of(path, name, dtype):
    """A tensor of a safetensors file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8:8 + length])[name]
    begin, end = (8 + length + offset for offset in entry["data_offsets"])
    return np.frombuffer(data[begin:end], dtype).reshape(entry["shape"])


class GenerateTest(unittest.TestCase):
    """Captions that Python's open_clip generates (tools/goldens/coca.py), padded there with -1."""

    @classmethod
    def setUpClass(cls):
        coca = ROOT / "tests/golden/coca"
        cls.io = coca / "pooled.io.safetensors"
        cls.model = openclip.create_model(str(coca / "pooled.json"),
                                          pretrained=str(coca / "pooled.safetensors"))
        cls.pixels = tensor_of(cls.io, "pixels", np.float32)

    def test_captions_of_open_clip(self):
        for case, options in {"beam": {}, "greedy": {"generation_type": "top_k", "top_k": 1},
                              "beam_short": {"seq_len": 7, "min_seq_len": 2}}.items():
            ids = self.model.generate(self.pixels, sot_token_id=38, eos_token_id=39,
                                      **{"seq_len": 16, **options})
            want = np.maximum(tensor_of(self.io, f"generate.{case}", np.int32), 0)
            self.assertEqual(ids.dtype, np.int64)
            np.testing.assert_array_equal(ids, want, err_msg=case)

    def test_errors(self):
        with self.assertRaisesRegex(openclip.InvalidArgument, "got 'best'"):
            self.model.generate(self.pixels, generation_type="best")
        with self.assertRaisesRegex(openclip.InvalidArgument, "expected an array"):
            self.model.generate(self.pixels[:, :2], seq_len=16)
        plain = openclip.create_model(TINY)
        with self.assertRaisesRegex(openclip.InvalidArgument, "writes no captions"):
            plain.generate(np.zeros((1, 3, 32, 32)))


if __name__ == "__main__":
    unittest.main()
