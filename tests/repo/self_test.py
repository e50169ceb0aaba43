"""Plants a breach of every rule in a small tree: each check must name it, and nothing else."""

import pathlib
import sys
import tempfile
import unittest

import checks

GOOD = {
    "include/skiff/c.h": "#include <stddef.h>\n#include <stdint.h>\n",
    "include/skiff/skiff.h": "#include <vector>\n\n#include <skiff/c.h>\n",
    "src/model/model.h": '#include <string>\n\n#include "base/result.h"\n',
    "src/model/model.cc": '#include "model/model.h"\n\n#include <zlib.h>\n#include <nlohmann/json.hpp>\n'
    "int f() {\n    if (TRY(g([&] { h(); }))) {\n        x();\n    }\n}\n",
    "src/runtime/interpreter.h": '#include "model/model.h"\n',
    "src/host/clock.cc": "#ifdef __linux__\n#endif\n",
    "src/kernels/portable/add.cc": "#ifdef __AVX2__\n#endif\nvoid add() {\n}\n",
    "src/kernels/avx2/conv.cc": "void conv() {\n" + "    x();\n" * 600 + "}\n",
    "examples/digits/main.cc": '#include <skiff/skiff.h>\n#include "own.h"\n',
    "examples/digits/own.h": "\n",
    "tests/mutants/a.mutants": "file: src/kernels/portable/add.cc\nfind: void add()\nwith: void sub()\n",
    "docs/a.md": "# A page\n\n## Its parts (two)\n[x](b.md) [y](#its-parts-two) `[no](nowhere)` [z](https://example.org)\n",
    "docs/b.md": "[back](a.md#a-page)\n",
    "dev": "#!/usr/bin/env bash\nset -euo pipefail\n[build]=900 [unit]=600 [tidy]=10\n"
    "test_stages=(build unit)\ntest_long_stages=(tidy)\n",
}

# check: [(path, text that breaks it)]
BAD = {
    "include_direction": [
        ("src/model/bad.cc", '#include "runtime/interpreter.h"\n'),
        ("src/kernels/portable/bad.h", '#include "model/model.h"\n'),
        ("src/runtime/bad.h", '  #  include "interpreter.h"\n'),
        ("src/runtime/bad.cc", "#include <zlib.h>\n"),
        ("src/model/bad.h", "#include <nlohmann/json.hpp>\n"),
        ("src/utilities/bad.h", "\n"),
    ],
    "try_in_braces": [
        ("src/model/bad.cc", "void f() {\n    list.push_back({ name, TRY(g([&] { h(); })) });\n}\n"),
        ("tests/model/bad.cc", "auto f() {\n    return Pair{TRY(g()), 1};\n}\n"),
    ],
    "public_includes": [
        ("include/skiff/bad.h", '#include "base/result.h"\n'),
        ("include/skiff/bad.h", "#include <nlohmann/json.hpp>\n"),
        ("include/skiff/c.h", "#include <vector>\n"),
        ("examples/digits/bad.cc", '#include "model/model.h"\n'),
    ],
    "os_ifdefs": [
        ("src/base/bad.cc", "#if defined(__linux__)\n#endif\n"),
        ("src/model/bad.h", "# ifndef _WIN32\n#endif\n"),
    ],
    "file_length": [("src/model/bad.cc", "\n" * 451), ("tests/model/bad_test.cc", "\n" * 501)],
    "function_length": [
        ("src/model/bad.cc", "int f(int a)\n{\n" + "    a += 1;\n" * 70 + "    return a;\n}\n")
    ],
    "unfinished": [("src/model/bad.cc", "// TO" "DO: later\n"), ("docs/bad.md", "FIX" "ME\n")],
    "machine_paths": [
        ("scripts/bad", "cat /wo" "rk/shared/x\n"),
        ("docs/bad.md", "see /ro" "ot/x\n"),
    ],
    "layout": [
        ("src/model/bad.cc", "int x;"),
        ("scripts/bad", "echo \n"),
        ("CMakeLists.txt", "#" * 126 + "\n"),
        ("src/model/bad.h", "\tint x;\n"),
    ],
    "test_names": [("tests/model/bad_test.cc", "TEST(Model, DISABLED" "_reads) {}\n")],
    "mutants": [
        ("tests/mutants/bad.mutants", "file: src/kernels/portable/add.cc\nfind: gone\nwith:\n"),
        ("tests/mutants/bad.mutants", "file: src/kernels/portable/add.cc\nfind: d\nwith:\n"),
        ("tests/mutants/bad.mutants", "file: src/gone.cc\nfind: d\nwith:\n"),
    ],
    "links": [
        ("docs/bad.md", "[x](nowhere.md)\n"),
        ("docs/bad.md", "[x](a.md#nothing)\n"),
        ("docs/bad.md", "![x](no.png)\n"),
    ],
    "scripts": [
        ("scripts/bad", "#!/usr/bin/env bash\nset -euo pipefail\n"),
        ("dev", "#!/usr/bin/env bash\necho\n"),
    ],
    "budgets": [
        ("dev", "[build]=900 [unit]=601\ntest_stages=(build unit)\ntest_long_stages=(build)\n"),
        ("dev", "[build]=900\ntest_stages=(build unit)\ntest_long_stages=(build)\n"),
        ("dev", "[build]=900\ntest_stages=(build)\n"),
    ],
}

FUNCTIONS = """
namespace skiff {
struct A {
    int get() const { return x; }
    A() : x(1) {
        y();
    }
    int x = 0;
};
static const auto table = make({1, 2});
template <typename T>
T twice(T value) {
    const char brace = '{';
    auto f = [&] { return "}"; };  // }
    return f() + value;
}
enum class E { a, b };
}
"""


def plant(folder, files):
    for path, text in files.items():
        target = pathlib.Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        if path == "dev":
            target.chmod(0o755)
    return checks.Tree(folder)


class SelfTest(unittest.TestCase):
    def test_every_check_has_a_breach(self):
        self.assertEqual(set(BAD), set(checks.CHECKS))

    def test_good_tree(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = plant(folder, GOOD)
            for name, check in checks.CHECKS.items():
                self.assertEqual(list(check(tree)), [], name)

    def test_breaches(self):
        for name, breaches in BAD.items():
            for path, text in breaches:
                with self.subTest(
                    check=name, path=path, text=text[:60]
                ), tempfile.TemporaryDirectory() as folder:
                    found = list(checks.CHECKS[name](plant(folder, {**GOOD, path: text})))
                    self.assertTrue(found, "not noticed")
                    self.assertTrue(all(line.startswith(f"{path}:") for line in found), found)

    def test_functions(self):
        found = {name: (first, count) for name, first, count in checks.functions(FUNCTIONS)}
        self.assertEqual(found["get"], (4, 1))
        self.assertEqual(found["A"], (5, 3))
        self.assertEqual(found["twice"], (11, 6))
        self.assertEqual(set(found) - {"make"}, {"get", "A", "twice"})


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False).result.wasSuccessful())
