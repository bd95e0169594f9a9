"""Rules of the house that neither ruff, mypy nor import-linter hold."""

from __future__ import annotations

import ast
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import freshwax

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "freshwax"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

MODULES = sorted(SRC.rglob("*.py"))
QUERIES = sorted(SRC.rglob("*.sql"))

# Calls that read a clock or wait, and calls that roll dice without being handed the dice.
CLOCK_READS = re.compile(
    r"(^|\.)(datetime\.(now|utcnow|today)|date\.today)$"
    r"|^time\.(time|time_ns|localtime|gmtime)$|^(time\.|asyncio\.)?(monotonic|perf_counter|sleep)(_ns)?$"
)
SQL_CLOCK_READS = re.compile(
    r"current_(date|time|timestamp)|\b(datetime|date|julianday|unixepoch)\(\s*('now'|\))", re.IGNORECASE
)
DICE = re.compile(r"^(random\.(?!Random$|SystemRandom$)\w+|uuid\.uuid[14])$")
SQL = re.compile(
    r"\s*(select\s.+\sfrom|insert\s+(or\s+\w+\s+)?into|update\s+\w+\s+set|delete\s+from|create\s+table)\s",
    re.IGNORECASE | re.DOTALL,
)


def calls(module: Path) -> Iterator[tuple[int, str]]:
    """Every call in a module, as its line and the dotted name that is called; ``sleep(0)`` waits for nobody."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node) != "asyncio.sleep(0)":
            yield node.lineno, ast.unparse(node.func)


def where(module: Path, line: int) -> str:
    return f"{module.relative_to(ROOT)}:{line}"


def test_no_module_is_longer_than_400_lines() -> None:
    modules = [*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    lengths = {where(m, 1): len(m.read_text(encoding="utf-8").splitlines()) for m in modules}

    assert {name: n for name, n in lengths.items() if n > 400} == {}


def test_the_clock_is_read_in_clock_py_only() -> None:
    reads = [
        f"{where(module, line)} {name}"
        for module in MODULES
        if module.name != "clock.py"
        for line, name in calls(module)
        if CLOCK_READS.search(name)
    ]

    assert reads == []


def test_no_query_reads_the_clock() -> None:
    assert [str(f) for f in QUERIES if SQL_CLOCK_READS.search(f.read_text(encoding="utf-8"))] == []


def test_chance_is_handed_in_never_taken_from_the_air() -> None:
    rolls = [f"{where(m, line)} {name}" for m in MODULES for line, name in calls(m) if DICE.search(name)]

    assert rolls == []


def test_sql_is_written_in_the_store_only() -> None:
    found = [
        where(module, node.lineno)
        for module in MODULES
        if SRC / "store" not in module.parents
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]

    assert found == []


def test_the_type_checker_is_silenced_rarely() -> None:
    silenced = [
        where(module, number)
        for module in MODULES
        for number, line in enumerate(module.read_text(encoding="utf-8").splitlines(), 1)
        if "# type: ignore" in line
    ]

    assert len(silenced) <= 5, silenced


def test_the_version_is_the_same_everywhere() -> None:
    assert freshwax.__version__ == PROJECT["project"]["version"]


@pytest.mark.parametrize("command", [["--version"], ["track", "--help"]])
def test_a_command_loads_the_network_and_the_tables_only_when_it_needs_them(command: list[str]) -> None:
    script = (
        "import sys\n"
        "from freshwax.cli.main import main\n"
        f"sys.argv = ['freshwax', *{command!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sorted({'httpx2', 'rich', 'numpy', 'ssl'} & set(sys.modules)), file=sys.stderr)\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.stderr.split() == [], done.stderr


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_by_hash_and_names_no_registry_and_no_folder(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    pins = [line for line in lines if line and not line.startswith(" ")]

    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9._-]+==[\w.]+ \\", pin)] == []
    assert text.count("--hash=sha256:") >= len(pins) > 0
    assert re.findall(r"\S*(?:://|--(?!hash)\w|(?<!requirements)/\w)\S*", "\n".join(lines)) == []


def test_the_locks_hold_what_the_project_asks_for_and_agree() -> None:
    locked: dict[str, dict[str, str]] = {
        lock.stem: dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE))
        for lock in LOCKS
    }
    asked = {re.split(r"[^\w.-]", wanted)[0] for wanted in PROJECT["project"]["dependencies"]}

    assert asked <= locked["run"].keys()
    assert locked["run"].items() <= locked["dev"].items()
    assert locked["build"].items() <= locked["dev"].items()


def test_no_test_can_reach_another_machine() -> None:
    with pytest.raises(AssertionError, match=r"192\.0\.2\.1"), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(AssertionError, match=r"example\.org"):
        socket.create_connection(("example.org", 80))


def test_a_test_starts_in_an_empty_home(home: Path) -> None:
    assert list(home.iterdir()) == []
