"""Rules of the tree that a compiler does not know. A check takes a Tree, yields "path:line: what".

tests/repo/self_test.py plants a breach of every rule here: a check that cannot fail is none.
"""

import os
import pathlib
import re

SOURCE_SUFFIXES = {".cc", ".h", ".c"}
BINARY_SUFFIXES = {
    ".tflite",
    ".png",
    ".jpg",
    ".jpeg",
    ".bmp",
    ".webp",
    ".bin",
    ".gz",
    ".zip",
    ".so",
}
ISA_FOLDERS = ("src/kernels/avx2/", "src/kernels/avx512/", "src/kernels/neon/")


class Tree:
    """The files of a source tree that are (or could be) committed, by path relative to its root."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self._texts = {}
        self.paths = sorted(self._walk())

    def _walk(self):
        for folder, folders, names in os.walk(self.root):
            relative = pathlib.Path(folder).relative_to(self.root)
            top = relative == pathlib.Path(".")
            folders[:] = [
                f
                for f in folders
                if f not in {".git", "__pycache__", "node_modules"}
                and not (top and (f == "build" or f.startswith("build-")))
            ]
            yield from ((relative / name).as_posix() for name in names if name != ".git")

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_text(errors="replace")
        return self._texts[path]

    def lines(self, path):
        return enumerate(self.text(path).split("\n"), 1)

    def sources(self, *folders):
        """C and C++ files below any of the folders; all without one."""
        return [
            p
            for p in self.paths
            if pathlib.PurePosixPath(p).suffix in SOURCE_SUFFIXES
            and (not folders or p.startswith(tuple(f + "/" for f in folders)))
        ]

    def texts(self):
        return [
            p
            for p in self.paths
            if pathlib.PurePosixPath(p).suffix not in BINARY_SUFFIXES
            and b"\0" not in (self.root / p).read_bytes()[:4096]
        ]


# -- includes --------------------------------------------------------------------------------------

# Which rooms a room may include, beside itself and base. None: every room. (ARCHITECTURE.md has the
# same table with reasons.)
MAY_USE = {
    "base": [],
    "sqlite": [],
    "model": [],
    "kernels": [],
    "runtime": ["model", "kernels"],
    "optimize": ["model", "runtime"],
    "tasks": ["model", "runtime"],
    "decide": [],
    "trust": [],
    "telemetry": [],
    "host": [],
    "publish": ["model", "runtime", "decide", "trust"],
    "device": ["sqlite", "model", "runtime", "decide", "trust", "telemetry", "host"],
    "server": ["sqlite", "publish", "decide", "trust", "telemetry"],
    "sim": ["device", "host", "server", "decide", "trust", "telemetry"],
    "train": ["model", "optimize"],
    "api": [
        "model",
        "kernels",
        "runtime",
        "optimize",
        "tasks",
        "decide",
        "trust",
        "telemetry",
        "host",
        "device",
    ],
    "cli": None,
}

# Which rooms may include a foreign library's headers.
LIBRARY_ROOMS = {
    r"flatbuffers/": {"model", "runtime"},
    r"zlib\.h": {"model"},
    r"(jpeglib|jerror|turbojpeg|png)\.h|webp/": {"tasks"},
    r"openssl/": {"base", "trust", "server"},
    r"sodium\.h": {"trust", "server"},
    r"re2/": {"decide"},
    r"sqlite3\.h": {"sqlite"},
    r"curl/": {"host"},
    r"boost/": {"server"},
    r"simdjson\.h": {"server"},
    r"spdlog/|fmt/": {"server", "cli"},
    r"CLI/": {"cli"},
    r"torch/": {"train"},
    r"dlfcn\.h": {"runtime", "host"},
}

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
C_HEADERS = {"stddef.h", "stdint.h"}


def includes(tree, path):
    for number, line in tree.lines(path):
        if match := INCLUDE.match(line):
            yield number, match[1] == '"', match[2]


def check_include_direction(tree):
    """Rooms include only the rooms that the map allows, and only their own foreign libraries."""
    for path in tree.sources("src"):
        room = path.split("/")[1]
        if room not in MAY_USE:
            yield f"{path}:1: the room {room} is not on the map (MAY_USE in tests/repo/checks.py)"
            continue
        for number, quoted, name in includes(tree, path):
            if quoted:
                other = name.split("/")[0]
                if "/" not in name:
                    yield f'{path}:{number}: write "{room}/{name}", from src/ on'
                elif (
                    other not in {room, "base"}
                    and MAY_USE[room] is not None
                    and other not in MAY_USE[room]
                ):
                    yield f"{path}:{number}: {room} may not use {other}"
            else:
                for pattern, rooms in LIBRARY_ROOMS.items():
                    if re.match(pattern, name) and room not in rooms:
                        yield f"{path}:{number}: {room} may not use <{name}>"
                # (NAME_state.h is the inside of a class, seen by its own .cc files only.)
                if name == "nlohmann/json.hpp" and path.endswith(".h") and not path.endswith("_state.h"):
                    yield f"{path}:{number}: <{name}> belongs in .cc files"


def check_public_includes(tree):
    """Public headers need only the standard library, c.h only C's; examples only public headers."""
    for path in tree.sources("include"):
        for number, quoted, name in includes(tree, path):
            if quoted or not (name.startswith("skiff/") or re.fullmatch(r"[a-z_0-9]+(\.h)?", name)):
                yield f"{path}:{number}: a public header includes {name}"
            elif re.match(r"include/skiff/c(_\w+)?\.h", path) and not (
                name in C_HEADERS or re.fullmatch(r"skiff/c_\w+\.h", name)
            ):
                yield f"{path}:{number}: c.h includes {name}"
    for path in tree.sources("examples"):
        for number, quoted, name in includes(tree, path):
            if quoted and not (tree.root / path).parent.joinpath(name).exists():
                yield f"{path}:{number}: an example includes {name}, which is not public"


OS_MACRO = re.compile(
    r"\b(__linux__|__linux|linux|__unix__|__APPLE__|__MACH__|__ANDROID__|_WIN32|_WIN64|__CYGWIN__|"
    r"__FreeBSD__|_MSC_VER|__MINGW32__)\b"
)


def check_os_ifdefs(tree):
    """The operating system is asked about in src/host and nowhere else."""
    for path in tree.sources("src"):
        if path.startswith("src/host/"):
            continue
        for number, line in tree.lines(path):
            if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b", line) and OS_MACRO.search(line):
                yield f"{path}:{number}: asks for the operating system outside src/host"


# -- size ------------------------------------------------------------------------------------------

FILE_LINES = 450
TEST_FILE_LINES = 500  # tables of cases
FUNCTION_LINES = 70
LONG_FUNCTION_SHARE = 0.03


def check_file_length(tree):
    for path in tree.sources("src", "include", "tools", "examples", "bench", "fuzz", "tests"):
        count = tree.text(path).count("\n")
        limit = TEST_FILE_LINES if path.startswith("tests/") else FILE_LINES
        if count > limit and not path.startswith(ISA_FOLDERS):
            yield f"{path}:1: {count} lines, more than {limit}: split it by subject"


def blank_out(text):
    """The text with spaces for comments, strings and preprocessor lines; line breaks stay."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\''
        r"|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
        re.S | re.M,
    )
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def functions(text):
    """(name, first line, number of lines) of every function that is not inside another."""
    text = blank_out(text)
    start, depth, inside, line, begin_line = 0, 0, None, 1, 1
    for position, c in enumerate(text):
        if c == "\n":
            line += 1
        elif inside is not None:
            depth += (c == "{") - (c == "}")
            if depth == 0:
                name, first = inside
                yield name, first, line - first + 1
                inside, start, begin_line = None, position + 1, line
        elif c == "{":
            head = text[start:position]
            if "(" in head and not re.search(
                r"\b(namespace|class|struct|union|enum)\b[^()]*$", head.split("(")[0]
            ):
                blank = len(head) - len(head.lstrip())
                inside = (re.findall(r"[\w:~]+", head.split("(")[0])[-1:] or ["?"])[
                    0
                ], begin_line + head[:blank].count("\n")
                depth = 1
            start, begin_line = position + 1, line
        elif c in "};":
            start, begin_line = position + 1, line


def all_functions(tree):
    for path in tree.sources("src", "include", "tools", "examples", "bench", "fuzz"):
        if not path.startswith(ISA_FOLDERS):
            for name, first, count in functions(tree.text(path)):
                yield path, name, first, count


def check_function_length(tree):
    """A tripwire, not a law: a few long functions are fine."""
    found = list(all_functions(tree))
    long = [
        (path, name, first, count) for path, name, first, count in found if count > FUNCTION_LINES
    ]
    if found and len(long) / len(found) > LONG_FUNCTION_SHARE:
        for path, name, first, count in long:
            share = f"{len(long)} of {len(found)} functions are over {FUNCTION_LINES}"
            yield f"{path}:{first}: {name} has {count} lines ({share})"


# -- text ------------------------------------------------------------------------------------------

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
THIS_MACHINE = re.compile(r"(?<![\w.])/(work|root|home/\w+|tmp/w|tmp/wt)/")


def check_unfinished(tree):
    for path in tree.texts():
        if path != "LICENSE":
            for number, line in tree.lines(path):
                if match := UNFINISHED.search(line):
                    yield f"{path}:{number}: {match[0]}"


def check_machine_paths(tree):
    """No file knows the machine it was written on."""
    for path in tree.texts():
        for number, line in tree.lines(path):
            if (match := THIS_MACHINE.search(line)) and "THIS_MACHINE" not in line:
                yield f"{path}:{number}: the path {match[0]} of one machine"


SCRIPT_COLUMNS = 125


def is_script(tree, path):
    return tree.text(path).startswith("#!") or path.endswith(
        (".sh", ".py", ".cmake", "CMakeLists.txt")
    )


def check_layout(tree):
    """No long lines in scripts (clang-format keeps the sources), no tabs, no trailing blanks."""
    for path in tree.texts():
        if (
            path == "LICENSE"
            or path.startswith("tests/golden/")
            or path.endswith((".svg", ".json", ".fbs"))
        ):
            continue
        text = tree.text(path)
        if text and not text.endswith("\n"):
            yield f"{path}:{text.count(chr(10)) + 1}: no line break at the end"
        for number, line in tree.lines(path):
            if line != line.rstrip() and not path.endswith((".md", ".mutants")):
                yield f"{path}:{number}: blanks at the end of the line"
            if len(line) > SCRIPT_COLUMNS and is_script(tree, path):
                yield f"{path}:{number}: {len(line)} columns, more than {SCRIPT_COLUMNS}"
            if "\t" in line and not path.endswith((".tsv", ".md")):
                yield f"{path}:{number}: a tab"


def in_braced_initializer(text, position):
    """Whether the expression at `position` ends with the "}" of something around it."""
    depth = parentheses = 0
    for i, c in enumerate(text[position:], position):
        if c == "{":
            if depth == 0 and parentheses < 0 and text[:i].rstrip().endswith(")"):
                return False  # if (TRY(...)) {
            depth += 1
        elif c == "}":
            if depth == 0:
                return True
            depth -= 1
        elif depth == 0:
            parentheses += (c == "(") - (c == ")")
            if c == ";":
                return False
    return False


def check_try_in_braces(tree):
    """TRY is no part of a braced initializer: clang 14 leaks the members before one that returns."""
    for path in tree.sources():
        text = blank_out(tree.text(path)) if "TRY(" in tree.text(path) else ""
        for match in re.finditer(r"\b(SKIFF_)?TRY\(", text):
            if in_braced_initializer(text, match.start()):
                number = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{number}: TRY in a braced initializer: give it a line of its own"


def check_test_names(tree):
    """A test that is switched off protects nothing."""
    for path in tree.sources("tests"):
        for number, line in tree.lines(path):
            if re.search(r"\bDISABLED" r"_\w", line):
                yield f"{path}:{number}: a disabled test"


def check_mutants(tree):
    """Every planted error still finds its place (tests/mutants/run would say so, much later)."""
    for path in (p for p in tree.paths if p.endswith(".mutants")):
        file = None
        for number, line in tree.lines(path):
            if line.startswith("file: "):
                file = line.removeprefix("file: ").strip()
            elif line.startswith("find: "):
                find = line.removeprefix("find: ")
                times = tree.text(file).count(find) if file in tree.paths else 0
                if times != 1:
                    yield f"{path}:{number}: this text occurs {times} times in {file}, not once"


# -- documents -------------------------------------------------------------------------------------

LINK = re.compile(r"(?<!\!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")


def anchors(markdown):
    """The anchors that headings get where Markdown is shown as pages."""
    seen = {}
    for line in re.sub(r"^```.*?^```", "", markdown, flags=re.S | re.M).split("\n"):
        if match := re.match(r"#+\s+(.*?)\s*#*$", line):
            slug = re.sub(r"[^\w\- ]", "", match[1].lower()).replace(" ", "-")
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            yield f"{slug}-{count}" if count else slug


def check_links(tree):
    for path in (p for p in tree.paths if p.endswith(".md")):
        fenced = False
        for number, line in tree.lines(path):
            fenced ^= line.lstrip().startswith("```")
            for match in [] if fenced else LINK.finditer(re.sub(r"`[^`]*`", "", line)):
                target, _, anchor = (match[1] or match[2]).partition("#")
                if re.match(r"[a-z]+:", target):
                    continue
                file = (tree.root / path).parent / target if target else tree.root / path
                if not file.exists():
                    yield f"{path}:{number}: there is no {target}"
                elif (
                    anchor and file.suffix == ".md" and anchor not in set(anchors(file.read_text()))
                ):
                    yield f"{path}:{number}: {target or path} has no heading #{anchor}"


# -- commands --------------------------------------------------------------------------------------


def check_scripts(tree):
    """Every script can be started, and stops at its first error."""
    for path in tree.texts():
        first = tree.text(path).split("\n", 1)[0]
        if first.startswith("#!"):
            if not os.access(tree.root / path, os.X_OK):
                yield f"{path}:1: not executable"
            if first.endswith("bash") and "\nset -euo pipefail\n" not in tree.text(path):
                yield f"{path}:1: a bash script without set -euo pipefail"


TIER_LIMITS_S = {"test_stages": 25 * 60, "test_long_stages": 55 * 60}


def check_budgets(tree):
    """Every stage has a budget, and the budgets of a tier fit what design and README promise."""
    text = tree.text("dev")
    budgets = dict(re.findall(r"\[([\w-]+)\]=(\d+)", text))
    for tier, limit_s in TIER_LIMITS_S.items():
        match = re.search(rf"^{tier}=\(([^)]*)\)", text, re.M)
        stages = match[1].split() if match else []
        if not stages:
            yield f"dev:1: no {tier}"
        for stage in stages:
            if stage not in budgets:
                yield f"dev:1: the stage {stage} has no budget"
        total_s = sum(int(budgets.get(stage, 0)) for stage in stages)
        if total_s > limit_s:
            yield f"dev:1: the budgets of {tier} add up to {total_s} s, more than {limit_s} s"


CHECKS = {
    name.removeprefix("check_"): check
    for name, check in list(globals().items())
    if name.startswith("check_")
}
