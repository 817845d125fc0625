"""Writes what is made from include/closs/closs.h, the one description of the C API, for those who cannot include it:

- src/closs/core/api_table.h: the names, for the table that the capsule holds
- src/closs/_bindings/c_api.pxd: declarations for Cython
- src/closs/_core.pxd, src/closs/_bindings/views.pxi: the losses for Cython with typed memoryviews
- src/closs/_c_types.py: structs and signatures for ctypes and NumPy

`python tools/make_api.py` writes them, with `--check` it only tells whether they are up to date. Needs pycparser.
"""

import re
import subprocess
import sys
from pathlib import Path

from pycparser import c_ast, c_generator, c_parser

ROOT = Path(__file__).resolve().parents[1]
HEADER = ROOT / "include" / "closs" / "closs.h"
MADE = "made from include/closs/closs.h by tools/make_api.py"
CTYPES = {
    "float": "c_float", "double": "c_double", "int": "c_int", "long": "c_long", "int64_t": "c_int64",
    "uint64_t": "c_uint64", "int32_t": "c_int32", "int8_t": "c_int8", "uint8_t": "c_uint8", "size_t": "c_size_t",
}  # fmt: skip
FIXED_WIDTH = [name for name in CTYPES if name.endswith("_t") and name != "size_t"]


def parse() -> list[c_ast.Node]:
    """The declarations of the header, in order."""
    text = re.sub(r"^\s*#\s*include.*$", "", HEADER.read_text(), flags=re.MULTILINE)
    types = "".join(f"typedef int {name};\n" for name in [*FIXED_WIDTH, "size_t"])
    code = subprocess.run(["cc", "-E", "-P", "-DCLOSS_EXPORT=", "-"], input=types + text, text=True, check=True,
                          capture_output=True).stdout  # fmt: skip
    return c_parser.CParser().parse(code).ext[len(FIXED_WIDTH) + 1 :]


def is_function(node: c_ast.Node) -> bool:
    return isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.FuncDecl)


def members(node: c_ast.Node, kind: type) -> list[c_ast.Node] | None:
    """What a typedef of a struct or enum consists of, None for any other node."""
    if isinstance(node, c_ast.Typedef) and isinstance(node.type, c_ast.TypeDecl) and isinstance(node.type.type, kind):
        inner = node.type.type
        return inner.decls if kind is c_ast.Struct else inner.values.enumerators
    return None


def table(nodes: list[c_ast.Node]) -> str:
    return f"/* {MADE}. */\n" + "".join(f"ENTRY({node.name})\n" for node in nodes if is_function(node))


def pxd(nodes: list[c_ast.Node]) -> str:
    generator = c_generator.CGenerator()
    lines = [f"# The C API of closs for Cython, {MADE}.",
             f"from libc.stdint cimport {', '.join(FIXED_WIDTH)}", "",
             'cdef extern from "closs/closs.h" nogil:',
             *(f"    const int CLOSS_{name}" for name in
               ("VERSION_MAJOR", "VERSION_MINOR", "VERSION_PATCH", "ABI_VERSION"))]  # fmt: skip
    for node in nodes:
        if (fields := members(node, c_ast.Struct)) is not None:
            lines += ["", f"    ctypedef struct {node.name}:", *(f"        {generator.visit(f)}" for f in fields)]
        elif (values := members(node, c_ast.Enum)) is not None:
            lines += ["", f"    ctypedef enum {node.name}:", *(f"        {value.name}" for value in values)]
        elif isinstance(node, c_ast.Typedef):
            lines += ["", f"    c{generator.visit(node)}"]
        elif is_function(node):
            line = f"    {generator.visit(node)}"
            lines.append(line if len(line) <= 120 else line.replace(", ", ",\n" + " " * (line.index("(") + 1), 1))
    # No "(void)" in Cython, and a C function of the table raises nothing.
    text = "\n".join([*lines, ""])
    return text.replace("(void)", "()").replace("(*closs_function)()", "(*closs_function)() noexcept")


def views(nodes: list[c_ast.Node]) -> tuple[str, str]:
    """Declarations and definitions: each loss of whole arrays, its total and gradient, one parameter for all."""
    declarations, definitions = [], []
    for node in filter(is_function, nodes):
        match = re.fullmatch(r"closs_(\w+)_(f32|f64)", node.name)
        parameters = node.type.args.params if match else []
        family = re.search(r"closs_(elementwise|softmax)_f", ast_text(parameters[0])) if match else None
        if not family or match[1] == "elementwise_run":
            continue
        kind, real = match[2], {"f32": "float", "f64": "double"}[match[2]]
        array, label, fill = f"{real}[::1]", f"{real}[::1]", f"fill_{kind}(&args, pred, label, grad"
        label_field = None
        if family[1] == "softmax":
            dense = match[1] != "softmax_ce"
            array, label = f"{real}[:, ::1]", f"{real}[:, ::1]" if dense else "int64_t[::1]"
            width = "label.shape[1]" if dense else "pred.shape[1]"
            fill = f"fill_softmax_{kind}(&args, pred, label.shape[0], {width}, grad"
            label_field = "args.label_dense = &label[0, 0]" if dense else "args.label = &label[0]"
        extra = parameters[1].name if len(parameters) > 1 else None
        head = (f"cdef double {match[1]}_{kind}(const {array} pred, const {label} label, {array} grad,\n"
                f"{' ' * (len(match[1]) + 17)}c_api.closs_reduction reduction"
                f"{f', {real} {extra}' if extra else ''}) except? -1 nogil")  # fmt: skip
        declarations.append(head)
        body = [f"{head}:", f"    cdef c_api.closs_{family[1]}_{kind} args", "    cdef double total = 0"]
        argument = f", {extra}" if extra else ""
        if extra and isinstance(parameters[1].type, c_ast.PtrDecl):
            body += [f"    cdef c_api.closs_broadcast_{kind} uniform",
                     f"    uniform.data, uniform.repeat, uniform.period = &{extra}, 0, 1"]  # fmt: skip
            argument = ", &uniform"
        body += [f"    {fill}, reduction, &total)", *([f"    {label_field}"] if label_field else []),
                 f"    check(c_api.{node.name}(&args{argument}))", "    return total"]  # fmt: skip
        definitions.append("\n".join(body))
    made = f"# Losses with typed memoryviews, {MADE}.\n"
    imports = "cimport closs._bindings.c_api as c_api\nfrom libc.stdint cimport int64_t\n\n"
    return made + imports + "\n".join(declarations) + "\n", made + "\n" + "\n\n\n".join(definitions) + "\n"


def ast_text(node: c_ast.Node) -> str:
    return c_generator.CGenerator().visit(node)


def ctype(node: c_ast.Node, structs: list[str], enums: list[str]) -> str:
    """The ctypes name of a type; every pointer is c_void_p, which takes byref(), arrays' addresses and None."""
    if isinstance(node, c_ast.ArrayDecl):
        return f"{ctype(node.type, structs, enums)} * {node.dim.value}"
    if isinstance(node, c_ast.PtrDecl):
        target = node.type
        is_text = isinstance(target, c_ast.TypeDecl) and getattr(target.type, "names", None) == ["char"]
        return "c_char_p" if is_text else "c_void_p"
    name = " ".join(node.type.names)
    if name == "closs_function":
        return "c_void_p"
    return name if name in structs else "c_int" if name in enums else CTYPES[name]


def python(nodes: list[c_ast.Node]) -> str:
    structs = [node.name for node in nodes if members(node, c_ast.Struct) is not None]
    enums = [node.name for node in nodes if members(node, c_ast.Enum) is not None]
    lines = []
    for node in nodes:
        if (fields := members(node, c_ast.Struct)) is not None:
            lines += ["", "", f"class {node.name}(Structure):", "    _fields_ = ["]
            lines += [f'        ("{f.name}", {ctype(f.type, structs, enums)}),' for f in fields] + ["    ]"]
        elif (values := members(node, c_ast.Enum)) is not None:
            lines += ["", "", f"class {node.name}(IntEnum):"]
            lines += [f"    {value.name} = {k}" for k, value in enumerate(values)]
            lines += ["", "", *(f"{value.name} = {node.name}.{value.name}" for value in values)]
    lines += ["", "", "# Result and arguments of each function.",
              "SIGNATURES: dict[str, tuple[type[Any] | None, list[type[Any]]]] = {"]  # fmt: skip
    for node in filter(is_function, nodes):
        parameters = [p for p in (node.type.args.params if node.type.args else []) if isinstance(p, c_ast.Decl)]
        arguments = ", ".join(ctype(p.type, structs, enums) for p in parameters)
        lines.append(f'    "{node.name}": ({ctype(node.type.type, structs, enums)}, [{arguments}]),')
    body = "\n".join([*lines, "}"]) + "\n"
    names = sorted(name for name in {*CTYPES.values(), "c_void_p", "c_char_p"} if re.search(rf"\b{name}\b", body))
    imports = f"from ctypes import Structure, {', '.join(names)}\nfrom enum import IntEnum\nfrom typing import Any\n"
    abi = re.search(r"#define CLOSS_ABI_VERSION (\d+)", HEADER.read_text())[1]
    return f'"""Structs and signatures of the C API, {MADE}."""\n\n{imports}\nABI_VERSION = {abi}\n{body}'


def main() -> int:
    nodes = parse()
    made = {"src/closs/core/api_table.h": table(nodes), "src/closs/_bindings/c_api.pxd": pxd(nodes),
            "src/closs/_c_types.py": python(nodes)}  # fmt: skip
    made["src/closs/_core.pxd"], made["src/closs/_bindings/views.pxi"] = views(nodes)
    stale = [path for path, text in made.items() if not (ROOT / path).exists() or (ROOT / path).read_text() != text]
    if "--check" in sys.argv:
        print(f"not up to date: {', '.join(stale)}" if stale else "up to date")
        return bool(stale)
    for path in stale:
        (ROOT / path).write_text(made[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
