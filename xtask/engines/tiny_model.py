"""A model of llama.cpp's with random weights and a token for each byte: what it writes is valid only where a grammar makes it so."""

import sys

import gguf
import numpy

WIDTH = 64


# How many bytes have a token, from 0 on. Tokens of further bytes than ASCII's would let random weights write what is not UTF-8, at which the
# server fails with status 500; where no model writes, they are needed to read texts.
ASCII, BYTES = 128, 256


def byte_tokens(count):
    """How GPT-2's vocabulary writes the first bytes: those that can be printed as themselves."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(count)]


def write(path, count=ASCII, seed=7):
    random = numpy.random.default_rng(seed)
    tokens = [*byte_tokens(count), "<|endoftext|>"]
    file = gguf.GGUFWriter(path, "llama")
    file.add_context_length(8192)
    file.add_embedding_length(WIDTH)
    file.add_block_count(1)
    file.add_feed_forward_length(WIDTH * 2)
    file.add_head_count(2)
    file.add_head_count_kv(2)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_rope_dimension_count(WIDTH // 2)
    file.add_vocab_size(len(tokens))
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("gpt-2")
    file.add_token_list(tokens)
    file.add_token_types([1] * (len(tokens) - 1) + [3])
    file.add_token_merges(["a b"])
    file.add_eos_token_id(len(tokens) - 1)
    file.add_bos_token_id(len(tokens) - 1)
    file.add_chat_template("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")

    def weights(name, *shape):
        file.add_tensor(name, (random.standard_normal(shape) * 0.3).astype(numpy.float32))

    weights("token_embd.weight", len(tokens), WIDTH)
    weights("output.weight", len(tokens), WIDTH)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        weights(f"blk.0.{name}.weight", WIDTH, WIDTH)
    weights("blk.0.ffn_gate.weight", 2 * WIDTH, WIDTH)
    weights("blk.0.ffn_up.weight", 2 * WIDTH, WIDTH)
    weights("blk.0.ffn_down.weight", WIDTH, 2 * WIDTH)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        file.add_tensor(f"{name}.weight", numpy.ones(WIDTH, dtype=numpy.float32))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


if __name__ == "__main__":
    write(sys.argv[1])
