"""clip.cpp (PyPI clip-cpp) for bench/peers.py: writes a checkpoint of open_clip in the layout that clip.cpp reads, and encodes.

Matrices are f16, as clip.cpp's own converter stores them by default; the names are those of its file format.
"""
import ctypes


def blocks(tensors, ours, theirs, layers):
    """Tensors of the transformer blocks under clip.cpp's names."""
    for i in range(layers):
        def get(name):
            return tensors[f"{ours}.resblocks.{i}.{name}"]
        for kind in ("weight", "bias"):
            for name, part in zip("qkv", get(f"attn.in_proj_{kind}").chunk(3)):
                yield f"{theirs}.blk.{i}.attn_{name}.{kind}", part
            for name, source in (("attn_out", "attn.out_proj"), ("ln1", "ln_1"), ("ln2", "ln_2"),
                                 ("ffn_down", "mlp.c_fc"), ("ffn_up", "mlp.c_proj")):
                yield f"{theirs}.blk.{i}.{name}.{kind}", get(f"{source}.{kind}")


def renamed(tensors, config):
    yield "t.token_embd.weight", tensors["token_embedding.weight"]
    yield "t.position_embd.weight", tensors["positional_embedding"]
    yield "v.class_embd", tensors["visual.class_embedding"]
    yield "v.patch_embd.weight", tensors["visual.conv1.weight"]
    yield "v.position_embd.weight", tensors["visual.positional_embedding"]
    for kind in ("weight", "bias"):
        yield f"t.post_ln.{kind}", tensors[f"ln_final.{kind}"]
        yield f"v.pre_ln.{kind}", tensors[f"visual.ln_pre.{kind}"]
        yield f"v.post_ln.{kind}", tensors[f"visual.ln_post.{kind}"]
    yield "text_projection.weight", tensors["text_projection"].T
    yield "visual_projection.weight", tensors["visual.proj"].T
    yield from blocks(tensors, "transformer", "t", config["text_cfg"]["layers"])
    yield from blocks(tensors, "visual.transformer", "v", config["vision_cfg"]["layers"])


def write_gguf(weights, path, model):
    import numpy as np
    import open_clip
    from gguf import GGUFWriter
    from safetensors.torch import load_file
    config = open_clip.get_model_config(model)
    text, vision = config["text_cfg"], config["vision_cfg"]
    order = sorted(open_clip.SimpleTokenizer().encoder.items(), key=lambda item: item[1])
    special = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    writer = GGUFWriter(str(path), "clip")
    for tower in ("text", "vision"):
        writer.add_bool(f"clip.has_{tower}_encoder", True)
    writer.add_file_type(1)
    writer.add_name(model)
    writer.add_description("two-tower CLIP model")
    for tower, cfg, heads in (("text", text, text["heads"]), ("vision", vision, vision["width"] // 64)):
        for key, value in (("embedding_length", cfg["width"]), ("feed_forward_length", 4 * cfg["width"]),
                           ("projection_dim", config["embed_dim"]), ("attention.head_count", heads),
                           ("block_count", cfg["layers"])):
            writer.add_uint32(f"clip.{tower}.{key}", value)
        writer.add_float32(f"clip.{tower}.attention.layer_norm_epsilon", 1e-5)
    writer.add_uint32("clip.text.context_length", text["context_length"])
    writer.add_token_list([special.get(token, token) for token, _ in order])
    writer.add_uint32("clip.vision.image_size", vision["image_size"])
    writer.add_uint32("clip.vision.patch_size", vision["patch_size"])
    writer.add_array("clip.vision.image_mean", list(open_clip.OPENAI_DATASET_MEAN))
    writer.add_array("clip.vision.image_std", list(open_clip.OPENAI_DATASET_STD))
    writer.add_bool("clip.use_gelu", not config.get("quick_gelu", False))
    for name, tensor in renamed(load_file(weights), config):
        matrix = name.endswith(".weight") and tensor.ndim in (2, 4)
        writer.add_tensor(name, np.ascontiguousarray(tensor.numpy(), np.float16 if matrix else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class ClipCpp:
    """As bench/peers.py's Tower, of texts: example(count) gives `captions`, call() encodes one after the other."""

    def __init__(self, args, captions):
        from clip_cpp import clip
        path = args.path / f"{args.model}.gguf"
        if not path.exists():
            partial = path.with_suffix(".partial")
            write_gguf(args.path / f"{args.model}.safetensors", partial, args.model)
            partial.rename(path)
        self.clip, self.threads, self.example = clip, args.threads, captions
        self.context = clip.clip_model_load(str(path).encode(), 0)
        if not self.context:
            raise RuntimeError("clip.cpp does not load the file")
        self.size = clip.clip_get_text_hparams(self.context).contents.projection_dim
        clip.clip_lib.clip_text_encode.restype = ctypes.c_bool

    def call(self, texts):
        rows = []
        for text in texts:
            tokens, out = self.clip.ClipTokens(), (ctypes.c_float * self.size)()
            self.clip.clip_tokenize(self.context, text.encode(), ctypes.byref(tokens))
            if not self.clip.clip_lib.clip_text_encode(self.context, self.threads, ctypes.byref(tokens), out, True):
                raise RuntimeError("clip.cpp does not encode this text")
            rows.append(list(out))
        return rows
