"""Small slips in functions: each is one changed operator, constant, condition, call or return.

What runs at import (class bodies, decorators, defaults) and what satisfies the type checker
(annotations, assertions) is left alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_NEGATED_BY_OPERATOR = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LEFT_ALONE = {"annotation", "returns", "decorator_list", "defaults", "kw_defaults", "format_spec"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One slip: the node that takes a place in the tree of a file."""

    path: Path
    function: str
    line: int  # of the function, as in its code object
    at: tuple[int, int]
    change: str
    tree: ast.Module
    parent: ast.AST
    field: str
    index: int | None
    new: ast.AST

    def __str__(self) -> str:
        return f"{self.path.as_posix()}:{self.at[0]}:{self.at[1]} {self.change}"

    def code(self, filename: str) -> CodeType:
        """Compile the file with this slip."""
        value = getattr(self.parent, self.field)
        if self.index is None:
            setattr(self.parent, self.field, self.new)
        else:
            changed = list(value)
            changed[self.index] = self.new
            setattr(self.parent, self.field, changed)
        try:
            return compile(ast.fix_missing_locations(self.tree), filename, "exec")
        finally:
            setattr(self.parent, self.field, value)


def mutants(path: Path) -> list[Mutant]:
    """Return every mutant of a file, in the order of its text."""
    tree = ast.parse(path.read_text("utf-8"))
    found = [
        Mutant(path, name, line, (old.lineno, old.col_offset), change, tree, *place, new)
        for name, line, place, old in _places(tree)
        for change, new in _slips(old, place[0])
    ]
    return sorted(found, key=lambda mutant: (mutant.at, mutant.change))


_Place = tuple[ast.AST, str, int | None]
_Found = tuple[str, int, _Place, ast.AST]


def _places(
    node: ast.AST, scope: Sequence[str] = (), function: tuple[str, int] | None = None
) -> Iterator[_Found]:
    """Yield each node inside a function, where it is, and the function."""
    for place, child in _children(node):
        inner, owner = scope, function
        if isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
            inner = (*scope, child.name)
        if isinstance(child, _FUNCTIONS):
            first = min([child.lineno, *(each.lineno for each in child.decorator_list)])
            owner = (".".join(inner), first)
            inner = (*inner, "<locals>")
        elif function and not _is_ignored(child, node):
            yield (*function, place, child)
        if not isinstance(child, ast.Assert):
            yield from _places(child, inner, owner)


def _children(node: ast.AST) -> Iterator[tuple[_Place, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if field in _LEFT_ALONE:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield (node, field, index), child


def _is_ignored(node: ast.AST, parent: ast.AST) -> bool:
    docstring = isinstance(node, ast.Constant) and isinstance(parent, ast.Expr)
    typing = isinstance(parent, ast.Call) and ast.unparse(parent.func) == "cast"
    return docstring or typing or not hasattr(node, "lineno")


def _slips(node: ast.AST, parent: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield what may stand in the place of a node, each with a description."""
    yield from _statements(node)
    yield from _operators(node)
    match node:
        case ast.Constant(value=value) if value is not None and value is not ...:
            yield _change(node, ast.Constant(_other(value)))
        case ast.Call(keywords=keywords):
            for index, keyword in enumerate(keywords):
                if keyword.arg:
                    yield _edit(node, keywords=keywords[:index] + keywords[index + 1 :])
    if isinstance(node, ast.expr) and _is_condition(node, parent):
        yield _change(node, ast.UnaryOp(ast.Not(), node))


def _statements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
            yield _change(node, ast.Pass())
        case ast.Return(value=ast.AST() as value) if ast.unparse(value) != "None":
            yield _change(node, ast.Return(ast.Constant(None)))
        case ast.Continue():
            yield _change(node, ast.Break())
        case ast.Break():
            yield _change(node, ast.Continue())


def _operators(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                changed = [*ops[:index], _OPERATORS[type(operator)](), *ops[index + 1 :]]
                yield _edit(node, ops=changed)
        case ast.BoolOp(op=op) | ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _OPERATORS:
            yield _edit(node, op=_OPERATORS[type(op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield _change(node, operand)


def _is_condition(node: ast.expr, parent: ast.AST) -> bool:
    """Return whether a condition has no mutant yet that is its opposite."""
    match node:
        case ast.UnaryOp(op=ast.Not()):
            return False
        case ast.Compare(ops=[operator]) if isinstance(operator, _NEGATED_BY_OPERATOR):
            return False
    match parent:
        case ast.If(test=test) | ast.IfExp(test=test):
            return test is node
        case ast.comprehension(ifs=ifs):
            return node in ifs
    return False


def _other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"XX{value}XX"
    if isinstance(value, bytes):
        return b"XX" + value + b"XX"
    assert isinstance(value, int | float)
    return value + 1


def _edit(node: ast.AST, **fields: object) -> tuple[str, ast.AST]:
    """Return a copy of a node with other fields."""
    kept = dict(ast.iter_fields(node))
    return _change(node, type(node)(**(kept | fields)))


def _change(old: ast.AST, new: ast.AST) -> tuple[str, ast.AST]:
    return f"{_text(old)} -> {_text(new)}", ast.copy_location(new, old)


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:40]} … {text[-19:]}"
