"""openclip-train in several processes, and killed at any moment."""
import os
import pathlib
import random
import signal
import socket
import subprocess
import time
import unittest

from train_support import TrainTest

VIT = {"embed_dim": 16,
       "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 32, "layers": 2, "head_width": 16},
       "text_cfg": {"context_length": 16, "vocab_size": 521, "width": 32, "heads": 2, "layers": 2,
                    "hf_tokenizer_name": "tiny"}}
KILLS = 10


class DistributedTest(TrainTest):
    # No BatchNorm: it sees each process's batch by itself.
    ALL = ("--train-data", "part-{0..1}.tar", "--cache-decoded", "100M", "--force-patch-dropout",
           "0.25", "--threads", "1", "--workers", "1")

    def setUp(self):
        super().setUp()
        self.write_json("vit.json", VIT)

    def command(self, *extra, name="run"):
        return super().command("--model", "vit.json", *extra, name=name)

    def losses(self, name):
        rows = (self.dir / "logs" / name / "train.csv").read_text().splitlines()[1:]
        return [float(row.split(",")[2]) for row in rows]

    def assert_close(self, a, b, steps):
        one, other = self.losses(a), self.losses(b)
        self.assertEqual(len(one), steps)
        self.assertEqual(len(other), steps)
        for x, y in zip(one, other):
            self.assertLess(abs(x - y), 1e-5 * abs(x), f"{one}\n{other}")

    def test_any_number_of_processes_takes_the_same_steps(self):
        for extra in ((), ("--siglip",), ("--ssl-weight", "0.5", "--grad-checkpointing"),
                      ("--accum-freq", "2")):
            for count in (1, 2, 4):
                self.succeed(*self.ALL, *extra, "--epochs", "5", "--batch-size",
                             str((8 if "--accum-freq" in extra else 16) // count), "--nproc",
                             str(count), name=f"n{count}")
            self.assert_close("n1", "n2", 10)
            self.assert_close("n1", "n4", 10)

    def test_streamed_shards_come_in_the_same_order(self):
        stream = ("--train-data", "part-{0..1}.tar", "--train-num-samples", "32", "--threads", "1")
        for count in (1, 2):
            self.succeed(*stream, "--epochs", "3", "--batch-size", str(16 // count), "--nproc",
                         str(count), name=f"n{count}")
        self.assert_close("n1", "n2", 6)
        self.assertIn("too few for 4 processes",
                      self.run_program(*stream, "--nproc", "4").stderr)

    def test_sharded_optimiser_resumes_on_another_number_of_processes(self):
        common = (*self.ALL, "--epochs", "5", "--shard-optimizer")
        self.succeed(*common, "--batch-size", "16", name="whole")
        self.succeed(*common, "--batch-size", "4", "--nproc", "4", "--save-frequency", "1",
                     name="parts")
        for epoch in (4, 5):
            self.remove(self.checkpoint("parts", f"epoch_{epoch}"))
        log = self.succeed(*common, "--batch-size", "8", "--nproc", "2", "--resume", "latest",
                           name="parts")
        self.assertIn("at step 6", log)
        self.assertNotIn("differ from the checkpoint's", log)
        for x, y in zip(self.losses("whole")[6:], self.losses("parts")[-4:]):
            self.assertLess(abs(x - y), 1e-5 * abs(x))

    def test_a_process_that_dies_ends_the_job_with_one_line(self):
        with subprocess.Popen(self.command(*self.ALL, "--epochs", "1000", "--batch-size", "4",
                                           "--nproc", "3"),
                              cwd=self.dir, text=True, stderr=subprocess.PIPE) as process:
            for line in process.stderr:
                if " step 3/" in line:
                    os.kill(children(process.pid)[1], signal.SIGKILL)
                    break
            rest = process.stderr.read()
            self.assertEqual(process.wait(60), 1)
        problems = [l for l in rest.splitlines() if l.startswith("openclip-train")]
        self.assertEqual(len(problems), 1, rest)
        self.assertIn("process 1 of 3: was ended by signal 9", problems[0])
        self.assertIn("--resume latest", problems[0])

    def test_an_error_of_all_processes_is_one_line(self):
        done = self.run_program("--train-data", "part-{8..9}.tar", "--train-num-samples", "40",
                                "--nproc", "2")
        self.assertEqual(done.returncode, 1)
        problems = [l for l in done.stderr.splitlines() if l.startswith("openclip-train: ")]
        self.assertEqual(len(problems), 1, done.stderr)
        self.assertRegex(problems[0], "part-[89].tar")

    def test_terminated_job_saves_and_goes_on(self):
        common = (*self.ALL, "--epochs", "12", "--batch-size", "8", "--nproc", "2")
        with subprocess.Popen(self.command(*common, name="stopped"), cwd=self.dir, text=True,
                              stderr=subprocess.PIPE) as process:
            for line in process.stderr:
                if " step 5/" in line:
                    process.send_signal(signal.SIGTERM)
                    break
            rest = process.stderr.read()
            self.assertEqual(process.wait(60), 0, rest)
        self.assertIn("stopped by a signal", rest)
        self.succeed(*common, "--resume", "latest", name="stopped")
        self.succeed(*common, name="straight")
        self.assert_same_weights("straight", "stopped", "epoch_12")

    def test_torchrun_slurm_and_mpirun_environments(self):
        self.succeed(*self.ALL, "--epochs", "5", "--batch-size", "16", name="n1")
        for kind, rank, size in (("torchrun", "RANK", "WORLD_SIZE"),
                                 ("slurm", "SLURM_PROCID", "SLURM_NTASKS"),
                                 ("mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            processes = [subprocess.Popen(
                self.command(*self.ALL, "--epochs", "5", "--batch-size", "8", name=kind),
                cwd=self.dir, stderr=subprocess.DEVNULL,
                env={**os.environ, rank: str(i), size: "2", "MASTER_ADDR": "127.0.0.1",
                     "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}) for i in range(2)]
            self.assertEqual([p.wait(120) for p in processes], [0, 0], kind)
            self.assert_close("n1", kind, 10)

    def assert_same_weights(self, a, b, epoch):
        for file in ("open_clip_model.safetensors", "trainer_state.safetensors"):
            one, other = ((self.checkpoint(x, epoch) / file).read_bytes() for x in (a, b))
            self.assertTrue(one == other, f"{file} of {a} and {b} differ")

    def kill_at_random(self, seed, *common):
        """Kills the run KILLS times, at random moments; then lets it end."""
        chance = random.Random(seed)
        common = (*common, "--save-every-n-steps", "1", "--epochs", "30", "--save-frequency", "0")
        self.succeed(*common, name="whole")
        resume = ()
        for kill in range(KILLS):
            with subprocess.Popen(self.command(*common, *resume, name="killed"), cwd=self.dir,
                                  stderr=subprocess.PIPE, text=True) as process:
                steps = chance.randint(0, 5)
                for line in process.stderr:
                    steps -= " step " in line
                    if steps < 0:
                        break
                time.sleep(chance.uniform(0, 0.03))
                victims = [process.pid, *children(process.pid)]
                os.kill(chance.choice(victims), signal.SIGKILL)
                process.stderr.read()
                process.wait(60)
            resume = ("--resume", "latest")
        self.assertFalse(self.checkpoint("killed", "epoch_30").exists())
        self.succeed(*common, *resume, name="killed")
        self.assert_same_weights("whole", "killed", "epoch_30")
        hidden = [p.name for p in (self.dir / "logs/killed/checkpoints").iterdir()
                  if p.name.startswith(".")]
        self.assertEqual(hidden, [])

    def test_killed_ten_times_single(self):
        self.kill_at_random(1, *self.ALL, "--batch-size", "16")

    def test_killed_ten_times_distributed(self):
        self.kill_at_random(2, *self.ALL, "--batch-size", "8", "--nproc", "2")


def children(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(x) for x in path.read_text().split()] if path.exists() else []


if __name__ == "__main__":
    unittest.main(verbosity=2)
