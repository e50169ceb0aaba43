"""A publisher, a web server and devices made of the real program, for tests that cross all rooms."""

import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
HARD = DIGITS / "images" / "hard_5.png"  # level 1 sees a zero in it, level 2 a five
MODELS = {1: DIGITS / "digits_v1_int8.tflite", 0: DIGITS / "digits_v2_int8.tflite"}
LABELS = {1: "zero", 0: "five"}


def model_of(version):
    """Odd versions are level 1, even ones level 2: what a version sees tells which files it runs."""
    return MODELS[version % 2]


def label_of(version):
    return LABELS[version % 2]


class Failure(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    """A killed device breaks its connections off."""

    def handle_error(self, request, client_address):
        pass


class World:
    """One scratch folder: a project, a home, a device. Used as a context manager."""

    def __init__(self, skiff):
        self.skiff = str(skiff)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="skiff-scenes-"))
        self.project = self.folder / "project"
        self.tree = self.folder / "tree"
        self.device = self.folder / "device"
        self.server = None
        self.env = {**os.environ, "XDG_CONFIG_HOME": str(self.folder / "config"),
                    "XDG_CACHE_HOME": str(self.folder / "cache"), "HOME": str(self.folder)}
        self.published = self.default = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_server()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- programs --

    def start(self, *words):
        return self.start_program(self.skiff, *words)

    def start_program(self, *words):
        return subprocess.Popen(list(map(str, words)), env=self.env, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run(self, *words, code=0, timeout=60):
        done = subprocess.run([self.skiff, *map(str, words)], env=self.env, text=True,
                              capture_output=True, timeout=timeout, check=False)
        expect(code is None or done.returncode == code,
               f"skiff {' '.join(map(str, words))}: exit {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        return done

    # -- publishing --

    def init(self):
        self.run("init", self.project, "--name", "demo")

    def publish(self, *home):
        """The next version, for every device at once. `home`: --to DIR or --context NAME; else where the last one went."""
        self.published += 1
        number = self.folder / "number.txt"
        number.write_text(str(self.published))
        self.run("publish", "digits", model_of(self.published), "--with", number, "--alias", "champion",
                 "-C", self.project, *home)
        self.default = self.published

    def move_default(self, version):
        self.run("models", "alias", "digits", "champion", version, "-C", self.project)
        self.default = version

    # -- serving --

    def serve_tree(self):
        """The static tree behind a plain web server; gives its URL."""
        self.tree.mkdir(exist_ok=True)
        handler = functools.partial(Quiet, directory=str(self.tree))
        server = QuietServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    def start_server(self, port=0):
        self.server = self.start("serve", "--data", self.folder / "server", "--listen", f"127.0.0.1:{port}")
        line = self.server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        expect(found, f"the server did not say where it listens: {line}{'' if found else self.server.stderr.read()}")
        threading.Thread(target=self.server.stderr.read, daemon=True).start()
        return int(found[1])

    def stop_server(self, how=signal.SIGTERM):
        if self.server:
            self.server.send_signal(how)
            self.server.wait(20)
            self.server = None

    def token(self, *scopes):
        """The path of a file with a new token."""
        done = self.run("tokens", "create", "--data", self.folder / "server", "--project", "demo",
                        *(word for scope in scopes for word in ("--scope", scope)))
        file = self.folder / ("token-" + "-".join(scopes))
        file.write_text(done.stdout.split()[-1])
        return file

    def log_in(self, port):
        self.run("login", f"http://127.0.0.1:{port}", "--project", "demo", "--token",
                 self.token("publish", "read").read_text())

    # -- the device --

    def store_words(self, verb, data=None):
        return ["device", verb, "--data", data or self.device, "--model", "digits", "--bundled", MODELS[1]]

    def update_words(self, verb, url, data=None):
        return self.store_words(verb, data) + ["--root", self.project / "root.json", "--url", url,
                                               "--network", "wifi"]

    def label_words(self, data=None):
        return self.store_words("run", data) + ["--image", HARD, "--json"]

    def label(self, data=None):
        """(version, label) of what runs now; 0: the bundled model."""
        answer = json.loads(self.run(*self.label_words(data)).stdout)
        return answer["number"], answer["labels"][0]["label"]

    def check_label(self):
        """The version that runs; it answers as itself, and no installed version has another's files."""
        version, label = self.label()
        expect(0 <= version <= self.published, f"version {version} runs, {self.published} is the newest")
        expected = label_of(version) if version else "zero"
        expect(label == expected, f"version {version} says {label}, not {expected}")
        for number in (self.device / "versions" / "digits").glob("*/number.txt"):
            name = number.parent.name.split("-")[0]
            expect(number.read_text() == name, f"{number} is of version {number.read_text()}")
        return version

    def update(self, url, code=0, data=None):
        return self.run(*self.update_words("update", url, data), code=code)


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < end, what)
        time.sleep(0.01)
