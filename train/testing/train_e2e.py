"""openclip-train as a user runs it: interruption and exact resume, kinds of data, errors."""
import math
import os
import shutil
import signal
import struct
import subprocess
import unittest

from train_support import COUNT, ENGINE, PROGRAM, TrainTest, caption, png, read_safetensors


class ResumeTest(TrainTest):
    ALL = ("--train-data", "part-{0..1}.tar", "--cache-decoded", "100M", "--json-text-key", "en,zh",
           "--json-text-key-probs", "0.5,0.5", "--label-key", "concept", "--concept-table", "1",
           "--hog-distill", "1", "--aug-cfg", "style=0.7", "--ema", "0.9", "--grad-clip-norm", "1",
           "--save-every-n-steps", "2")

    def test_killed_and_resumed_run_ends_with_the_same_bits(self):
        self.succeed(*self.ALL, name="whole")
        code, _ = self.interrupt(signal.SIGKILL, "epoch_latest at step 12", *self.ALL, name="killed")
        self.assertEqual(code, -signal.SIGKILL)
        self.assertFalse(self.checkpoint("killed").exists())
        # Other workers, since timing must not matter.
        log = self.succeed(*self.ALL, "--resume", "latest", "--workers", "3", name="killed")
        self.assertRegex(log, r"resumed .* at step (8|9|1\d)")
        self.assert_same_result("whole", "killed")

    def test_terminated_run_saves_and_goes_on(self):
        code, log = self.interrupt(signal.SIGTERM, "step 7/30", *self.ALL[:-2], name="stopped")
        self.assertEqual(code, 0, log)
        self.assertIn("stopped by a signal", log)
        self.succeed(*self.ALL[:-2], "--resume", "latest", name="stopped")
        self.succeed(*self.ALL[:-2], name="straight")
        self.assert_same_result("straight", "stopped")

    def test_streamed_shards_resume_too(self):
        stream = ("--train-data", "part-*.tar", "--train-num-samples", str(COUNT), "--ema", "0.9")
        self.succeed(*stream, name="whole")
        self.succeed(*stream, "--save-frequency", "1", name="parts")
        shutil.rmtree(self.checkpoint("parts"))
        self.succeed(*stream, "--resume", str(self.checkpoint("parts", "epoch_3")), name="parts")
        self.assert_same_result("whole", "parts")


class LockedImageTest(TrainTest):
    """Second stage: captions learn to name the pictures of a finished image tower (LiT)."""

    ALL = ("--train-data", "part-{0..1}.tar", "--cache-decoded", "100M", "--json-text-key", "en,zh",
           "--json-text-key-probs", "0.5,0.5", "--label-key", "concept", "--lock-image",
           "--lock-image-freeze-bn-stats", "--extra-texts", "3", "--first-caption-prob", "0.8")

    def test_image_tower_stays_and_resume_gives_the_same_bits(self):
        self.succeed("--train-data", "part-*.tar", "--train-num-samples", str(COUNT), name="first")
        first = self.checkpoint("first") / "open_clip_model.safetensors"
        stage = (*self.ALL, "--pretrained", str(first), "--save-frequency", "2")
        self.succeed(*stage, name="whole")
        before, after = (read_safetensors(p) for p in (first, self.checkpoint("whole") / first.name))
        changed = {name for name in before if before[name] != after[name]}
        self.assertTrue(any(name.startswith("token_embedding") for name in changed), changed)
        self.assertFalse([name for name in changed if name.startswith("visual.")])
        self.succeed(*stage, name="parts")
        for late in ("epoch_4", "epoch_6"):
            shutil.rmtree(self.checkpoint("parts", late))
        self.succeed(*stage, "--resume", str(self.checkpoint("parts", "epoch_2")), name="parts")
        one, other = (self.checkpoint(x) / first.name for x in ("whole", "parts"))
        self.assertEqual(one.read_bytes(), other.read_bytes())

    def test_extra_texts_need_numbered_samples(self):
        arguments = [a for a in self.ALL if a not in ("--cache-decoded", "100M")]
        done = self.run_program(*arguments, "--train-num-samples", str(COUNT), name="stream")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("--extra-texts draws samples by number", done.stderr)


class DataTest(TrainTest):
    def test_csv_and_folder(self):
        (self.dir / "tree/deep").mkdir(parents=True)
        table = "filepath,title\n"
        for i in range(COUNT):
            path = f"tree/deep/{i}.png"
            (self.dir / path).write_bytes(png(20, 30))
            (self.dir / f"tree/deep/{i}.txt").write_text(caption(i))
            table += f'{path},"{caption(i)}, again"\n'
        (self.dir / "pairs.csv").write_text(table)
        self.succeed("--train-data", "pairs.csv", "--csv-separator", ",", "--epochs", "1")
        self.succeed("--train-data", "tree", "--epochs", "1", "--accum-freq", "2", name="tree")
        checkpoint = self.checkpoint("run", "epoch_1")
        self.assertEqual(sorted(p.name for p in checkpoint.iterdir()),
                         ["open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json",
                          "trainer_state.safetensors"])

    def test_learns_and_logs(self):
        self.succeed("--train-data", "part-*.tar", "--cache-decoded", "100M", "--epochs", "30",
                     "--lr", "3e-3", "--report-to", "tensorboard")
        rows = (self.dir / "logs/run/train.csv").read_text().splitlines()
        losses = [float(row.split(",")[2]) for row in rows[1:]]
        self.assertEqual(len(losses), 150)
        self.assertLess(sum(losses[-10:]) / 10, 0.8 * math.log(8))
        self.assertIn("batch_size: 8", (self.dir / "logs/run/params.txt").read_text())
        events = next((self.dir / "logs/run/tensorboard").iterdir()).read_bytes()
        count, at = 0, 0
        while at < len(events):
            at += struct.unpack("<Q", events[at:at + 8])[0] + 16
            count += 1
        self.assertEqual((count, at), (151, len(events)))

    @unittest.skipUnless(ENGINE and os.path.exists(ENGINE), "needs the openclip program")
    def test_engine_reads_the_checkpoint(self):
        self.succeed("--train-data", "part-*.tar", "--cache-decoded", "100M", "--epochs", "1")
        (self.dir / "x.png").write_bytes(png(40, 40))
        done = subprocess.run([ENGINE, "embed", "x.png", "--text", "red", "--out", "e.npy", "--model",
                               str(self.checkpoint("run", "epoch_1"))], cwd=self.dir,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)


class ErrorTest(TrainTest):
    def refuse(self, code, says, *extra):
        done = self.run_program(*extra)
        self.assertEqual(done.returncode, code, done.stderr)
        problems = [l for l in done.stderr.splitlines() if l.startswith("openclip-train: ")]
        self.assertEqual(len(problems), 1, done.stderr)
        self.assertIn(says, problems[0])

    def test_wrong_usage(self):
        self.refuse(2, "--train-data")
        self.refuse(2, "--no-such-flag", "--train-data", "part-0.tar", "--no-such-flag")
        self.assertIn("Examples", subprocess.run([PROGRAM, "--help"], capture_output=True, text=True,
                                                 check=True).stdout)

    def test_what_cannot_work_is_one_line(self):
        self.refuse(1, "part-9.tar", "--train-data", "part-9.tar", "--train-num-samples", "40")
        self.refuse(1, "--train-num-samples", "--train-data", "part-0.tar")
        self.refuse(1, "no sample", "--train-data", "part-0.tar", "--train-num-samples", "40",
                    "--image-key", "bmp")
        self.refuse(1, "no sample", "--train-data", "part-0.tar", "--cache-decoded", "1G",
                    "--train-num-samples", "40", "--json-text-key", "fr")
        self.refuse(1, "less than one step", "--train-data", "part-0.tar", "--train-num-samples",
                    "3")
        self.refuse(1, "unknown model", "--train-data", "part-0.tar", "--train-num-samples", "40",
                    "--model", "no-such.json")

    def test_divergence_is_one_line(self):
        self.refuse(1, "the loss is", "--train-data", "part-*.tar", "--cache-decoded", "100M",
                    "--lr", "1e30", "--skip-scheduler", "--wd", "0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
