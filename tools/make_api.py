"""Writes what is made from include/closs/closs.h, the one description of the C API, for those who cannot include it:

- src/closs/core/api_table.h: the names, for the table that the capsule holds
- src/closs/_bindings/c_api.pxd: declarations for Cython; closs.pxd: the same as the bindings want them
- src/closs/_core.pxd, src/closs/_bindings/views.pxi: the losses for Cython with typed memoryviews
- src/closs/_c_types.py: structs and signatures for ctypes and NumPy

`python tools/make_api.py` writes them, with `--check` it only tells whether they are up to date. Needs pycparser.
"""

import os
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


def pxd(nodes: list[c_ast.Node], is_loose: bool) -> str:
    """With is_loose float and double data of an argument struct is void *, so that one text can fill both structs."""
    narrow = {
        f.name for node in nodes for f in members(node, c_ast.Struct) or [] if re.search(r"\bfloat \*", ast_text(f))
    }

    def declared(field: c_ast.Node) -> str:
        is_data = is_loose and field.name in narrow
        return re.sub(r"\b(float|double) \*", "void *", ast_text(field)) if is_data else ast_text(field)

    lines = [f"# The C API of closs for Cython, {MADE}.",
             *(["# For the bindings: data pointers are void *, so that one text fills the structs of both types."]
               if is_loose else []),
             f"from libc.stdint cimport {', '.join(FIXED_WIDTH)}", "",
             'cdef extern from "closs/closs.h" nogil:',
             *(f"    const int CLOSS_{name}" for name in
               ("VERSION_MAJOR", "VERSION_MINOR", "VERSION_PATCH", "ABI_VERSION"))]  # fmt: skip
    for node in nodes:
        if (fields := members(node, c_ast.Struct)) is not None:
            lines += ["", f"    ctypedef struct {node.name}:", *(f"        {declared(f)}" for f in fields)]
        elif (values := members(node, c_ast.Enum)) is not None:
            lines += ["", f"    ctypedef enum {node.name}:", *(f"        {value.name}" for value in values)]
        elif isinstance(node, c_ast.Typedef):
            lines += ["", f"    c{ast_text(node)}"]
        elif is_function(node):
            line = f"    {ast_text(node)}"
            lines.append(line if len(line) <= 120 else line.replace(", ", ",\n" + " " * (line.index("(") + 1), 1))
    # No "(void)" in Cython, and a C function of the table raises nothing.
    text = "\n".join([*lines, ""])
    return text.replace("(void)", "()").replace("(*closs_function)()", "(*closs_function)() noexcept")


# The arrays of a loss in its function of memoryviews, or of all other losses with that struct: the argument's name, the
# struct's member, a letter for each axis. The first array gives the sizes; an axis with its letter has its length.
VIEWS = {
    "elementwise": {"pred": ("pred", "n"), "label": ("label", "n"), "grad": ("grad", "n")},
    "softmax_ce": {"pred": ("pred", "nc"), "label": ("label", "n"), "grad": ("grad", "nc")},
    "softmax": {"pred": ("pred", "nc"), "label": ("label_dense", "nc"), "grad": ("grad", "nc")},
    "triplet": {
        "pred": ("input[0]", "nd"), "positive": ("input[1]", "nd"), "negative": ("input[2]", "nd"),
        "grad_pred": ("grad[0]", "nd"), "grad_positive": ("grad[1]", "nd"), "grad_negative": ("grad[2]", "nd"),
    },
    "cosine_embedding": {
        "input1": ("input[0]", "nd"), "input2": ("input[1]", "nd"), "label": ("label", "n"),
        "grad1": ("grad[0]", "nd"), "grad2": ("grad[1]", "nd"),
    },
    "sdml": {
        "x1": ("input[0]", "nd"), "x2": ("input[1]", "nd"), "grad1": ("grad[0]", "nd"), "grad2": ("grad[1]", "nd"),
    },
    "ctc": {
        "pred": ("pred", "ntc"), "label": ("label", "ns"), "pred_lengths": ("pred_lengths", "n"),
        "label_lengths": ("label_lengths", "n"), "value": ("value", "n"), "grad": ("grad", "ntc"),
    },
    "ctc_greedy": {
        "pred": ("pred", "ntc"), "pred_lengths": ("pred_lengths", "n"), "label": ("label", "nt"),
        "label_lengths": ("label_lengths", "n"), "score": ("score", "n"),
    },
}  # fmt: skip
OPTIONAL = re.compile(r"grad.*|value|score|\w+_lengths")  # the arrays that may be None
# For losses that fill in `bad`: the function that explains a status with it, and what else that needs (embedding.pxi).
CHECKS = {
    "softmax_ce": ("check_class", "args.classes"),
    "cosine_embedding": ("check_sign", "label"),
    "ctc": ("check_ctc", "args.time, args.classes, args.label_width, blank"),
    "ctc_greedy": ("check_ctc", "args.time, args.classes, 0, blank"),
}
# Of each struct: its sizes, and the members that are arguments as they are.
STRUCTS = {
    "elementwise": ({"batch": "1", "inner": "n"}, ["reduction"]),
    "softmax": ({"outer": "n", "classes": "c"}, ["reduction"]),
    "vectors": ({"rows": "n", "inner": "d"}, ["reduction"]),
    "pairwise": ({"rows": "n", "inner": "d"}, ["reduction"]),
    "ctc_args": (
        {"batch": "n", "time": "t", "classes": "c", "label_width": "s"}, ["blank", "input", "infeasible"],
    ),
    "ctc_greedy_args": ({"batch": "n", "time": "t", "classes": "c"}, ["blank", "input"]),
}  # fmt: skip


def views(nodes: list[c_ast.Node]) -> tuple[str, str]:
    """Declarations and definitions: the losses as functions of typed memoryviews, one parameter for all elements."""
    structs = {node.name: members(node, c_ast.Struct) for node in nodes}
    declarations, definitions = [], []
    for node in filter(is_function, nodes):
        match = re.fullmatch(r"closs_(\w+)_(f32|f64)", node.name)
        struct = re.match(r"const closs_(\w+)_f\d\d \*args", ast_text(node.type.args.params[0])) if match else None
        if not struct or ast_text(node.type.type) != "closs_status":
            continue
        (loss, kind), family = match.groups(), struct[1]
        (sizes, options), arrays = STRUCTS[family], VIEWS.get(loss) or VIEWS[family]
        types = {field.name: ast_text(field).rsplit(" ", 1)[0] for field in structs[f"closs_{family}_{kind}"]}
        first, (_, first_axes) = next(iter(arrays.items()))
        has_total = "reduction" in options
        local, body = [f"    cdef c_api.closs_{family}_{kind} args"], ["    memset(&args, 0, sizeof(args))"]
        arguments, lengths = [], {"1": "1"}
        for name, (member, axes) in arrays.items():
            arguments.append(f"{types[member.split('[')[0]]}[{':, ' * (len(axes) - 1)}::1] {name}")
            lengths = {axis: f"{name}.shape[{k}]" for k, axis in enumerate(axes)} | lengths
            lines = [f"args.{member} = &{name}[{', '.join('0' * len(axes))}]"]
            if name != first:
                same = len(os.path.commonprefix([axes, first_axes]))
                lines.insert(0, f'check_shape("{name}", {name}.shape, {first}.shape, {same})')
            if OPTIONAL.fullmatch(name):
                lines = [f"if {name} is not None:", *(f"    {line}" for line in lines)]
            else:
                lines.insert(0, f'check_given("{name}", {name} is not None)')
            body += [f"    {line}" for line in lines]
        arguments += [f"{'c_api.' * types[name].startswith('closs_')}{types[name]} {name}" for name in options]
        body += [f"    args.{size} = {lengths[axis]}" for size, axis in sizes.items()]
        body += [f"    args.{name} = {name}" for name in options]
        call = f"c_api.{node.name}(&args"
        for parameter in node.type.args.params[1:]:
            if isinstance(parameter.type, c_ast.PtrDecl):
                arguments.append(f"{'float' if kind == 'f32' else 'double'} {parameter.name}")
                local.append(f"    cdef c_api.closs_broadcast_{kind} uniform")
                body.append(f"    uniform.data, uniform.repeat, uniform.period = &{parameter.name}, 0, 1")
                call += ", &uniform"
            else:
                arguments.append(ast_text(parameter))
                call += f", {parameter.name}"
        check = f"check({call}))"
        if loss in CHECKS:
            explain, needs = CHECKS[loss]
            local.append(f"    cdef c_api.{types['bad']} bad")
            body.append("    args.bad = &bad")
            check = f"{explain}({call}), &bad, {needs})"
        if has_total:
            local.append("    cdef double total = 0")
            body += ["    args.total = &total", f"    {check}", "    return total"]
            head = wrapped(f"cdef double {loss}_{kind}(", arguments, ") except? -1 nogil")
        else:
            body.append(f"    return {check}")
            head = wrapped(f"cdef int {loss}_{kind}(", arguments, ") except -1 nogil")
        declarations.append(head)
        definitions.append("\n".join([f"{head}:", *local, *body]))
    made = f"# Losses with typed memoryviews, {MADE}.\n"
    imports = "cimport closs._bindings.c_api as c_api\nfrom libc.stdint cimport int64_t\n\n"
    return made + imports + "\n".join(declarations) + "\n", made + "\n" + "\n\n\n".join(definitions) + "\n"


def wrapped(start: str, arguments: list[str], end: str) -> str:
    """A declaration in lines of at most 120 characters, broken between arguments."""
    lines = [start]
    for k, argument in enumerate(arguments):
        text = argument + (end if k + 1 == len(arguments) else ", ")
        if len(lines[-1] + text) > 119:  # one more for the colon of a definition
            lines.append(" " * len(start))
        lines[-1] += text
    return "\n".join(line.rstrip() for line in lines)


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
    made = {"src/closs/core/api_table.h": table(nodes), "src/closs/_bindings/c_api.pxd": pxd(nodes, False),
            "src/closs/_bindings/closs.pxd": pxd(nodes, True), "src/closs/_c_types.py": python(nodes)}  # fmt: skip
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
