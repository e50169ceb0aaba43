"""What tests with tuf-js share: installing it once, serving a tree, downloading with download.js."""
import functools
import http.server
import os
import shutil
import subprocess
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
VERSION = "6.0.2"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def why_absent(folder):
    """Installs tuf-js from npm into folder unless it is there; why that is not possible, or None."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "there is no node or npm"
    if os.path.isdir(os.path.join(folder, "node_modules", "tuf-js")):
        return None
    os.makedirs(folder, exist_ok=True)
    command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", folder, f"tuf-js@{VERSION}"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=300)
    return "npm cannot install tuf-js" if done.returncode else None


def serve(tree):
    """The URL of a plain web server over the folder; it ends with the program."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tree))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def download(folder, url, root, targets, **streams):
    """True when tuf-js, pinned to the root file, gets all the targets."""
    command = ["node", os.path.join(HERE, "download.js"), url + "/metadata", url + "/targets", root, *targets]
    env = {**os.environ, "NODE_PATH": os.path.join(folder, "node_modules")}
    return subprocess.run(command, env=env, check=False, timeout=120, **streams).returncode == 0


def refuses(folder, url, root, targets):
    return not download(folder, url, root, targets, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def flip_a_bit(path):
    with open(path, "r+b") as file:
        byte = file.read(1)
        file.seek(0)
        file.write(bytes([byte[0] ^ 1]))
