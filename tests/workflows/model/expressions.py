"""GitHub's expressions: as much as workflows use in `if`, `concurrency` and outputs. What is unknown is an error."""

import json
import re

TOKEN = re.compile(r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)"
                   r"|(?P<op>&&|\|\||==|!=|[!()\[\].,*]))")
STATUS = {"success", "failure", "cancelled", "always"}


class ExpressionError(Exception):
    pass


def tokens(text: str) -> list:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise ExpressionError(f"cannot read {text[at:at + 20]!r} in {text!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def truthy(value) -> bool:
    return value not in (None, False, 0, "", 0.0)


def same(left, right) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if type(left) is not type(right) and any(side is None or isinstance(side, str) for side in (left, right)):
        return as_number(left) == as_number(right)
    return left == right


def as_number(value) -> float:
    try:
        return float(value) if value not in (None, "") else 0.0
    except (TypeError, ValueError):
        return float("nan")


def as_text(value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


class Parser:
    """Recursive descent; evaluates as it reads, both sides of && and ||: nothing here has an effect."""

    def __init__(self, text: str, contexts: dict, status: dict):
        self.tokens, self.at = tokens(text), 0
        self.contexts, self.status = contexts, status

    def peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def take(self, expected=None):
        if self.at >= len(self.tokens) or (expected and self.tokens[self.at][1] != expected):
            raise ExpressionError(f"expected {expected}, found {self.peek()}")
        self.at += 1
        return self.tokens[self.at - 1]

    def whole(self):
        value = self.either()
        if self.peek() is not None:
            raise ExpressionError(f"what is {self.peek()!r}?")
        return value

    def either(self):
        value = self.both()
        while self.peek() == "||":
            self.take()
            right = self.both()
            value = value if truthy(value) else right
        return value

    def both(self):
        value = self.equal()
        while self.peek() == "&&":
            self.take()
            right = self.equal()
            value = right if truthy(value) else value
        return value

    def equal(self):
        value = self.unary()
        while self.peek() in ("==", "!="):
            operator = self.take()[1]
            right = self.unary()
            value = same(value, right) == (operator == "==")
        return value

    def unary(self):
        if self.peek() == "!":
            self.take()
            return not truthy(self.unary())
        return self.postfix()

    def postfix(self):
        kind, text = self.take()
        if text == "(":
            value = self.either()
            self.take(")")
        elif kind == "string":
            return text[1:-1].replace("''", "'")
        elif kind == "number":
            return float(text) if "." in text else int(text)
        elif kind == "name" and self.peek() == "(":
            value = self.call(text)
        elif text in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[text]
        elif kind == "name":
            if text not in self.contexts:
                raise ExpressionError(f"no context {text}")
            value = self.contexts[text]
        else:
            raise ExpressionError(f"what is {text!r}?")
        return self.members(value)

    def members(self, value):
        while self.peek() in (".", "["):
            if self.take()[1] == "[":
                key = self.either()
                self.take("]")
            else:
                key = self.take()[1]
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def call(self, name: str):
        self.take("(")
        given = []
        while self.peek() != ")":
            given.append(self.either())
            if self.peek() == ",":
                self.take()
        self.take(")")
        if name in STATUS:
            return self.status[name]
        if name == "format":
            return re.sub(r"\{(\d+)\}", lambda m: as_text(given[1 + int(m[1])]), given[0])
        if name == "fromJSON":
            return json.loads(given[0])
        if name == "toJSON":
            return json.dumps(given[0])
        if name == "contains":
            return as_text(given[1]).lower() in as_text(given[0]).lower()
        if name == "startsWith":
            return as_text(given[0]).lower().startswith(as_text(given[1]).lower())
        raise ExpressionError(f"no function {name}")


def evaluate(text: str, contexts: dict, status: dict | None = None):
    return Parser(text, contexts, status or {}).whole()


def expand(value, contexts: dict, status: dict | None = None):
    """VALUE with each ${{ }} evaluated; one that is all of it keeps its type."""
    if not isinstance(value, str):
        return value
    value = value.strip()
    whole = re.fullmatch(r"\$\{\{((?:(?!\}\}).)*)\}\}", value, re.DOTALL)
    if whole:
        return evaluate(whole[1], contexts, status)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda m: as_text(evaluate(m[1], contexts, status)), value, flags=re.DOTALL)


def condition(text, contexts: dict, status: dict) -> bool:
    """What an `if` says; without a status function it means success() as well."""
    if text is None:
        return status["success"]
    if isinstance(text, bool):
        return text and status["success"]
    inner = re.sub(r"^\s*\$\{\{(.*)\}\}\s*$", r"\1", text, flags=re.DOTALL)
    said = truthy(evaluate(inner, contexts, status))
    has_status = any(kind == "name" and name in STATUS for kind, name in tokens(inner))
    return said and (has_status or status["success"])
