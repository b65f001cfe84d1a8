#!/usr/bin/env python3
"""Measures what a user would pick instead of openclip, on the same weights and the same work.

    pip install torch torchvision open_clip_torch onnx onnxscript onnxruntime openvino nncf pillow clip-cpp gguf
    peers.py weights DIR --model ViT-B-32        random open_clip weights, saved as DIR/MODEL.safetensors
    peers.py names FILE                          ImageNet's 1000 class names, one per line
    peers.py pictures DIR --count 64             JPEGs of about 0.35 Mpixel, made from noise of several scales
    peers.py serve DIR --peer P                  measures what JSON lines on stdin ask for, one JSON line each:
                                                 {"task": T, "batch": N, "classes": N, "seconds": S}

peers  torch (open_clip, eager f32), compile (torch.compile), bf16 (eager bf16), ort and ort8 (ONNX Runtime, f32 and
       dynamic int8), ov and ov8 (OpenVINO, f32 and NNCF int8), clipcpp (clip.cpp, f16, texts only), pillow (open_clip's
       own preprocessing, one process)
tasks  image, text (encode_text of captions, 77 positions), zeroshot (classifier of classes x 80 prompts), preprocess
       (JPEG files of DIR/pictures to tensors)

`serve` keeps the peer loaded, so that bench/compare.py can interleave it with others in rounds; "seconds": 0 only
prepares and warms up.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import sys
import time

from clip_cpp_peer import ClipCpp


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["weights", "names", "pictures", "serve"])
    parser.add_argument("path", type=pathlib.Path)
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--peer", default="torch")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--count", type=int, default=64)
    return parser.parse_args()


def write_weights(args):
    import open_clip
    import torch
    from safetensors.torch import save_file
    torch.manual_seed(0)
    model = open_clip.create_model(args.model)
    args.path.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.contiguous() for k, v in model.state_dict().items() if k != "attn_mask"}
    save_file(tensors, args.path / f"{args.model}.safetensors")


def write_pictures(args):
    import numpy as np
    from PIL import Image
    args.path.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for i in range(args.count):
        width, height = ((680, 512), (512, 680), (640, 480), (720, 480), (500, 750))[i % 5]
        picture = 128 + random.normal(0, 3, (height, width, 3))
        for cells, contrast in ((8, .9), (32, .6), (96, .4), (256, .16)):
            shape = (height * cells // 512, width * cells // 512, 3)
            noise = Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8))
            scaled = np.asarray(noise.resize((width, height), Image.BICUBIC), np.float32)
            picture += (scaled - 128) * contrast
        pixels = np.clip(picture, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(args.path / f"{i:05}.jpg", quality=87)


def captions(count):
    """Captions of natural length: ImageNet's names in OpenAI's templates; `openclip bench` makes the same."""
    import open_clip
    templates, names = open_clip.OPENAI_IMAGENET_TEMPLATES, open_clip.IMAGENET_CLASSNAMES
    return [templates[i % len(templates)](names[i * 7 % len(names)]) for i in range(count)]


class Tower:
    """A peer's encoder of pictures or texts: a callable from a torch batch to features."""

    def __init__(self, args, kind):
        import open_clip
        import torch
        torch.set_num_threads(args.threads)
        self.args, self.torch, self.kind = args, torch, kind
        weights = args.path / f"{args.model}.safetensors"
        self.model = open_clip.create_model(args.model, pretrained=str(weights)).eval()
        self.tokenizer = open_clip.get_tokenizer(args.model)
        size = self.model.visual.image_size
        self.size = size[0] if isinstance(size, (tuple, list)) else size
        make = {"torch": self.eager, "compile": self.eager, "bf16": self.eager, "ort": self.onnx_runtime,
                "ort8": self.onnx_runtime, "ov": self.openvino, "ov8": self.openvino}
        self.call = make[args.peer]()
        if make[args.peer] != self.eager:
            self.model = None  # ONNX Runtime and OpenVINO hold the weights themselves

    def module(self):
        encode = self.model.encode_image if self.kind == "image" else self.model.encode_text

        class Encoder(self.torch.nn.Module):
            def __init__(self, model):
                super().__init__()
                self.model = model

            def forward(self, x):
                return encode(x, normalize=True)
        return Encoder(self.model).eval()

    def example(self, count):
        if self.kind == "image":
            return self.torch.randn(count, 3, self.size, self.size)
        return self.tokenizer(captions(count))

    def eager(self):
        module = self.module()
        half = self.args.peer == "bf16"
        if half:
            module = module.to(self.torch.bfloat16)
        if self.args.peer == "compile":
            module = self.torch.compile(module)

        def call(x):
            with self.torch.inference_mode():
                return module(x.to(self.torch.bfloat16) if half and x.is_floating_point() else x)
        return call

    def onnx_file(self):
        path = self.args.path / f"{self.args.model}.{self.kind}.onnx"
        if not path.exists():
            partial = path.with_suffix(".partial")
            self.torch.onnx.export(self.module(), (self.example(2),), str(partial), input_names=["x"],
                                   output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
                                   dynamo=False, opset_version=17)
            partial.rename(path)
        return path

    def onnx_runtime(self):
        import onnxruntime
        path = self.onnx_file()
        if self.args.peer == "ort8":
            from onnxruntime.quantization import QuantType, quantize_dynamic
            full, path = path, path.with_suffix(".int8.onnx")
            if not path.exists():
                quantize_dynamic(str(full), str(path), weight_type=QuantType.QInt8,
                                 op_types_to_quantize=["MatMul", "Gemm"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.args.threads
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return lambda x: session.run(None, {"x": x.numpy()})[0]

    def openvino(self):
        import openvino
        core = openvino.Core()
        model = core.read_model(str(self.onnx_file()))
        if self.args.peer == "ov8":
            import nncf
            samples = [self.example(i + 1)[-1:].numpy() for i in range(16)]
            model = nncf.quantize(model, nncf.Dataset(samples), subset_size=16,
                                  model_type=nncf.ModelType.TRANSFORMER)
        # Without the hint OpenVINO computes in bf16 where the processor can: that would not be f32.
        settings = {"INFERENCE_NUM_THREADS": self.args.threads, "PERFORMANCE_HINT": "LATENCY"}
        if self.args.peer == "ov":
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        compiled = core.compile_model(model, "CPU", settings)
        return lambda x: compiled(x.numpy())[0]


def zero_shot(tower, classes):
    import open_clip
    names = open_clip.IMAGENET_CLASSNAMES[:classes]

    def run():
        rows = []
        for name in names:
            texts = tower.tokenizer([template(name) for template in open_clip.OPENAI_IMAGENET_TEMPLATES])
            mean = tower.torch.as_tensor(tower.call(texts)).float().mean(0)
            rows.append(mean / mean.norm())
        return tower.torch.stack(rows)
    return run, 80 * len(names)


def preprocessing(args):
    import open_clip
    from PIL import Image
    preprocess = open_clip.create_model_and_transforms(args.model)[2]
    files = sorted((args.path / "pictures").iterdir())
    return lambda: [preprocess(Image.open(file)) for file in files], len(files)


class Server:
    def __init__(self, args):
        self.args, self.towers, self.works = args, {}, {}

    def tower(self, kind):
        if kind not in self.towers:
            clip_cpp = self.args.peer == "clipcpp"
            self.towers[kind] = ClipCpp(self.args, captions) if clip_cpp else Tower(self.args, kind)
        return self.towers[kind]

    def work(self, request):
        """What is timed, warmed up, and how many items it handles."""
        task, batch, classes = request["task"], request.get("batch", 1), request.get("classes", 1)
        key = (task, batch, classes)
        if key not in self.works:
            if task == "preprocess":
                made = preprocessing(self.args)
            elif task == "zeroshot":
                made = zero_shot(self.tower("text"), classes)
            else:
                tower = self.tower(task)
                inputs = tower.example(batch)
                made = (lambda: tower.call(inputs)), batch
            warm_up = made[0]
            if task == "zeroshot":  # its calls are all alike, and one of many classes takes minutes
                warm_up = zero_shot(self.tower("text"), 1)[0]
            warm_up()
            warm_up()
            self.works[key] = made
        return self.works[key]

    def answer(self, request):
        run, items = self.work(request)
        if not request["seconds"]:
            return {}
        times, began = [], time.perf_counter()
        while not times or time.perf_counter() - began < request["seconds"]:
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        seconds = statistics.median(times)
        return {"peer": self.args.peer, "task": request["task"], "model": self.args.model,
                "batch": request.get("batch", 1), "threads": self.args.threads, "seconds": seconds,
                "items": items, "items_per_s": items / seconds,
                "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def serve(args):
    server = Server(args)
    for line in sys.stdin:
        try:
            answer = server.answer(json.loads(line))
        except Exception as problem:  # a peer that cannot do this may do the next
            answer = {"problem": f"{type(problem).__name__}: {problem}".splitlines()[0]}
        print(json.dumps(answer), flush=True)


def main():
    args = arguments()
    if args.what == "weights":
        write_weights(args)
    elif args.what == "names":
        import open_clip
        args.path.write_text("\n".join(dict.fromkeys(open_clip.IMAGENET_CLASSNAMES)) + "\n")
    elif args.what == "pictures":
        write_pictures(args)
    else:
        serve(args)


if __name__ == "__main__":
    main()
