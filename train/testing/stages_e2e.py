"""Both stages, techniques and sources of data as a user runs them."""
import csv
import http.server
import json
import shutil
import subprocess
import threading
import unittest

from train_support import COUNT, ENGINE, TrainTest, read_safetensors
from distributed_e2e import VIT

ALL = ("--train-data", "part-{0..1}.tar", "--cache-decoded", "100M")


class Flaky(http.server.BaseHTTPRequestHandler):
    """Serves a folder with Range, but fails each file's first GET, and breaks off its second."""
    folder = None
    seen = {}

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, with_body):
        path = self.folder / self.path.strip("/")
        if not path.exists():
            return self.send_error(404)
        data = path.read_bytes()
        visits = self.seen[self.path] = self.seen.get(self.path, 0) + with_body
        if with_body and visits == 1:
            return self.send_error(503)
        first = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", str(len(data) - first))
        self.send_header("ETag", '"1"')
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if with_body:
            self.wfile.write(data[first:first + 5000] if visits == 2 else data[first:])
            self.close_connection = True

    def log_message(self, *_):
        pass


class StagesTest(TrainTest):
    def setUp(self):
        super().setUp()
        self.write_json("vit.json", VIT)

    def command(self, *extra, name="run"):
        return super().command("--model", "vit.json", *extra, name=name)

    def weights(self, name, epoch):
        return read_safetensors(self.checkpoint(name, epoch) / "open_clip_model.safetensors")

    def test_coca_learns_captions_and_writes_them(self):
        text = {**VIT["text_cfg"], "embed_cls": True, "output_tokens": True}
        model = {
            **VIT, "embed_dim": 32, "custom_text": True, "text_cfg": text,
            "vision_cfg": {**VIT["vision_cfg"], "attentional_pool": True, "attn_pooler_queries": 5,
                           "attn_pooler_heads": 2, "output_tokens": True},
            "multimodal_cfg": {"context_length": text["context_length"], "vocab_size": text["vocab_size"],
                               "width": text["width"], "heads": 2, "layers": 2}}
        self.write_json("vit.json", model)
        self.succeed(*ALL, "--epochs", "3", "--lr", "3e-3", "--warmup", "1")
        rows = list(csv.DictReader((self.dir / "logs/run/train.csv").read_text().splitlines()))
        self.assertLess(float(rows[-1]["caption_loss"]), float(rows[0]["caption_loss"]))
        self.assertAlmostEqual(float(rows[0]["loss"]), float(rows[0]["contrastive_loss"])
                               + 2 * float(rows[0]["caption_loss"]), places=3)
        self.unpack_pictures(self.dir / "one", only=3)
        if ENGINE:
            done = subprocess.run([ENGINE, "caption", "one/0003.png", "--model",
                                   self.checkpoint("run", "epoch_3"), "--json",
                                   "--max-length", "16"], cwd=self.dir,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("caption", done.stdout)

    def test_visual_stage_needs_no_captions_and_feeds_the_next(self):
        folder = self.dir / "pictures"
        self.unpack_pictures(folder)
        self.succeed("--train-data", "pictures", "--stage", "visual", "--epochs", "2",
                     name="visual")
        before = self.weights("visual", "epoch_2")
        self.succeed(*ALL, "--pretrained-image", str(self.checkpoint("visual", "epoch_2")),
                     "--lock-image", "--epochs", "1", name="pairs")
        after = self.weights("pairs", "epoch_1")
        for name in before:
            self.assertEqual(before[name] == after[name], name.startswith("visual."), name)

    def test_joint_loss_logs_both(self):
        self.succeed(*ALL, "--ssl-weight", "0.5", "--epochs", "1")
        header, *rows = (self.dir / "logs/run/train.csv").read_text().splitlines()
        row = dict(zip(header.split(","), map(float, rows[0].split(","))))
        self.assertAlmostEqual(row["loss"], row["contrastive_loss"] + 0.5 * row["ssl_loss"],
                               delta=1e-3)

    def test_adapters_resume_exactly_and_only_they_change(self):
        self.succeed(*ALL, "--epochs", "1", name="base")
        lora = (*ALL, "--pretrained", str(self.checkpoint("base", "epoch_1")), "--lora-rank", "4",
                "--epochs", "4", "--ema", "0.9")
        self.succeed(*lora, name="whole")
        self.succeed(*lora, name="parts")
        for epoch in ("epoch_3", "epoch_4"):
            shutil.rmtree(self.checkpoint("parts", epoch))
        self.succeed(*lora, "--resume", "latest", name="parts")
        self.assertEqual(self.weights("whole", "epoch_4"), self.weights("parts", "epoch_4"))
        base, tuned = self.weights("base", "epoch_1"), self.weights("whole", "epoch_4")
        changed = {name for name in base if base[name] != tuned[name]}
        self.assertIn("visual.transformer.resblocks.0.attn.in_proj_weight", changed)
        self.assertNotIn("token_embedding.weight", changed)
        self.assertFalse([name for name in tuned if "lora" in name])

    def test_interpolated_weights(self):
        self.succeed(*ALL, "--epochs", "2", name="two")
        one, two = (str(self.checkpoint("two", f"epoch_{i}")) for i in (1, 2))
        done = self.run_tool("interpolate", one, two, "--alpha", "1", "--out", "mixed")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(read_safetensors(self.dir / "mixed/open_clip_model.safetensors"),
                         self.weights("two", "epoch_2"))
        self.assertTrue((self.dir / "mixed/tokenizer.json").exists())
        again = self.run_tool("interpolate", one, two, "--out", "mixed")
        self.assertEqual(again.returncode, 1)
        self.assertIn("exists already", again.stderr)

    def test_higher_resolution_at_the_end(self):
        self.succeed(*ALL, "--epochs", "1", name="low")
        self.succeed(*ALL, "--epochs", "1", "--pretrained", str(self.checkpoint("low", "epoch_1")),
                     "--force-image-size", "48", name="high")
        config = json.loads((self.checkpoint("high", "epoch_1") / "open_clip_config.json").read_text())
        self.assertEqual(config["model_cfg"]["vision_cfg"]["image_size"], 48)
        positions = self.weights("high", "epoch_1")["visual.positional_embedding"]
        self.assertEqual(len(positions), 4 * 32 * (36 + 1))

    def test_teacher_and_evaluation(self):
        folder = self.dir / "classes"
        for i in range(COUNT):
            self.unpack_pictures(folder / ["red", "green", "dog"][i % 3], only=i)
        (self.dir / "templates.txt").write_text("{} number\na {}\n")
        self.succeed(*ALL, "--epochs", "1", name="teacher")
        teacher = str(self.checkpoint("teacher", "epoch_1"))
        self.succeed(*ALL, "--epochs", "2", "--distill-model", teacher, "--distill-pretrained",
                     teacher, "--val-data", "part-0.tar", "--imagenet-val", "classes",
                     "--zeroshot-templates", "templates.txt", name="student")
        lines = (self.dir / "logs/student/results.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(l)["epoch"] for l in lines], [1, 2])
        result = json.loads(lines[-1])
        self.assertEqual(result["num_samples"], COUNT // 2)
        self.assertEqual(result["imagenet-zeroshot-val-top5"], 1)
        self.assertTrue(0 <= result["image_to_text_R@1"] <= result["image_to_text_R@10"] <= 1)
        page = (self.dir / "logs/student/report.html").read_text()
        for part in ("<svg", "distillation", "Retrieval recall", "Zero-shot accuracy"):
            self.assertIn(part, page)
        self.assertNotIn("http://", page)
        self.assertNotIn("src=", page)

    def test_shards_from_commands_and_servers(self):
        plain = ("--train-num-samples", str(COUNT), "--epochs", "2")
        self.succeed("--train-data", "part-{0..1}.tar", *plain, name="files")
        self.succeed("--train-data", "pipe:cat part-{0..1}.tar", *plain, name="pipe")
        Flaky.folder, Flaky.seen = self.dir, {}
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        address = f"http://127.0.0.1:{server.server_port}"
        log = self.succeed("--train-data", address + "/part-{0..1}.tar", *plain, name="http")
        self.assertNotIn("skipped", log)
        for kind in ("pipe", "http"):
            self.assertEqual(self.weights("files", "epoch_2"), self.weights(kind, "epoch_2"))
        log = self.succeed("--train-data", f"part-0.tar::{address}/part-7.tar", *plain,
                           "--shard-lanes", "1", name="lost")
        self.assertIn("part-7.tar: no such file", log)
        log = self.succeed("--train-data", "part-0.tar::pipe:cat part-1.tar; exit 3", *plain,
                           name="exit")
        self.assertIn("the command ended with exit code 3", log)
        done = self.run_program("--train-data", "pipe:true", *plain)
        self.assertEqual(done.returncode, 1)
        self.assertIn("pipe:true", done.stderr)

    def test_upsampling(self):
        self.succeed("--train-data", "part-0.tar::part-1.tar", "--dataset-resampled",
                     "--train-data-upsampling-factors", "3::1", "--train-num-samples", str(COUNT),
                     "--epochs", "1")
        done = self.run_program("--train-data", "part-0.tar", "--train-data-upsampling-factors",
                                "2", "--train-num-samples", str(COUNT))
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
