"""What a change would change on AWS: `python scripts/diff.py origin/main dev prod`.

Synthesises each environment at a commit and as it is here, and lets the CDK compare the templates. Needs no
account. Writes what it finds as Markdown, for a comment; the exit status is 1 when permissions would become
broader, unless `--allow-broader` says that somebody has looked.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"

_NOTHING = re.compile(r"^There were no differences$", re.MULTILINE)
_LINKED = (".wheels", ".venv", "node_modules")
_LONGEST_COMMENT = 65_536
"""Characters that GitHub takes."""


@dataclass(frozen=True)
class StackDiff:
    """How a stack would change.

    :param text: in the CDK's words; nothing where nothing changes.
    :param broader: permissions or open ports would become more.
    """

    stack: str
    text: str
    broader: bool


@contextmanager
def checkout(commit: str, into: Path) -> Iterator[Path]:
    """The sources of a commit, beside the working tree, with what is installed here."""
    root = into / "base"
    add = ["git", "worktree", "add", "--quiet", "--detach", str(root), commit]
    added = subprocess.run(add, cwd=ROOT, capture_output=True, text=True, check=False)
    if added.returncode:
        raise SystemExit(
            f"error: BASE is {commit!r}, allowed: a commit, origin/main say: {added.stderr.strip()}"
        )
    try:
        for name in _LINKED:
            if (ROOT / name).exists() and not (root / name).exists():
                (root / name).symlink_to(ROOT / name)
        yield root
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(root)], cwd=ROOT, check=True)


def synthesise(root: Path, environment: str, into: Path) -> dict[str, Path]:
    """The templates of an environment by the stack's name; none of one that is not there."""
    command = [sys.executable, str(root / "scripts" / "synth.py"), environment, str(into)]
    environ = {**os.environ, "CDK_VALIDATION": "false"}
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    if "environment must be one of" in done.stderr:
        return {}
    if done.returncode:
        which = "the working tree" if root == ROOT else "BASE"
        raise SystemExit(f"{done.stderr[-4000:]}\nerror: {which} cannot be synthesised for {environment}")
    return {path.name.removesuffix(".template.json"): path for path in into.glob("*.template.json")}


def compare(old: Path, new: Path) -> StackDiff:
    """
    :param old: a template; one that is empty where the stack is new.
    """
    stack = new.name.removesuffix(".template.json")
    text, _ = _diff(old, new)
    _, broader = _diff(old, new, "--security-only", "--fail-on", "broadening")
    return StackDiff(stack, "" if _NOTHING.search(text) else text, broader)


def to_markdown(environment: str, diffs: list[StackDiff], gone: list[str]) -> str:
    """What a reviewer reads about an environment."""
    lines = [f"### `{environment}`", ""]
    changed = [each for each in diffs if each.text]
    if not changed and not gone:
        return "\n".join([*lines, "No change.", ""])
    lines += [f"**`{name}` would be left without a definition.**\n" for name in gone]
    for each in changed:
        note = " - **permissions become broader**" if each.broader else ""
        lines += [f"<details><summary><code>{each.stack}</code>{note}</summary>", ""]
        lines += ["```diff", each.text, "```", "", "</details>", ""]
    return "\n".join(lines)


def shorten(markdown: str, rest: str, longest: int = _LONGEST_COMMENT) -> str:
    """What fits a comment: whole lines from the beginning, what they open closed, and where the rest is.

    :param rest: in words.
    """
    if len(markdown) <= longest:
        return markdown
    end = f"\n\n**Cut here: {rest}.**\n"
    closing = "\n```\n\n</details>"
    kept = markdown[: longest - len(end) - len(closing)]
    kept = kept[: kept.rfind("\n")]
    if kept.count("\n```") % 2:
        kept += "\n```\n"
    if kept.count("<details>") > kept.count("</details>"):
        kept += "\n</details>"
    return kept + end


def where_the_rest_is(environ: Mapping[str, str], output: Path | None) -> str:
    """Of a run of GitHub Actions the artifact `difference`, which .github/workflows/diff.yml uploads."""
    if run := environ.get("GITHUB_RUN_ID"):
        url = f"{environ['GITHUB_SERVER_URL']}/{environ['GITHUB_REPOSITORY']}/actions/runs/{run}"
        return f"all of it is the artifact `difference` of [this run]({url})"
    return f"all of it is in {output}" if output else "`make diff` prints all of it"


def _diff(old: Path, new: Path, *options: str) -> tuple[str, bool]:
    """What the command line says, and whether it failed on what it was to fail on."""
    app = ["--app", str(new.parent), "diff", new.name.removesuffix(".template.json"), "--exclusively"]
    command = ["node", str(CDK), *app, "--template", str(old), "--no-color", "--no-notices", *options]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "CI": "true"}, capture_output=True, text=True, check=False
    )
    text = "\n".join(line for line in done.stdout.splitlines() if line.strip())
    if done.returncode and not ("--fail-on" in options and done.returncode == 1):
        raise SystemExit(f"cdk diff of {new.stem} failed:\n{done.stdout}{done.stderr}")
    return text, bool(done.returncode)


def _tell(doing: str) -> None:
    """Say what takes its time, beside the Markdown rather than in it."""
    print(doing, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="the commit that is compared with, origin/main say")
    parser.add_argument("environments", nargs="+", help="dev, prod")
    parser.add_argument("--allow-broader", action="store_true", help="somebody has looked at the permissions")
    parser.add_argument("--output", type=Path, help="write the Markdown here too")
    parser.add_argument("--comment", type=Path, help="write here what of it fits a comment")
    parsed = parser.parse_args(arguments)
    told, broader = [], False
    with tempfile.TemporaryDirectory() as folder, checkout(parsed.base, Path(folder)) as base:
        nothing = Path(folder) / "nothing.json"
        nothing.write_text("{}")
        for environment in parsed.environments:
            _tell(f"{environment}: synthesising {parsed.base}")
            before = synthesise(base, environment, Path(folder) / f"{environment}-base")
            _tell(f"{environment}: synthesising the working tree")
            after = synthesise(ROOT, environment, Path(folder) / f"{environment}-here")
            diffs = []
            for stack, path in sorted(after.items()):
                _tell(f"{environment}: comparing {stack}")
                diffs.append(compare(before.get(stack, nothing), path))
            told.append(to_markdown(environment, diffs, sorted(before.keys() - after.keys())))
            broader |= any(each.broader for each in diffs)
    markdown = "\n".join(told)
    print(markdown)
    if parsed.output:
        parsed.output.write_text(markdown)
    if parsed.comment:
        parsed.comment.write_text(shorten(markdown, where_the_rest_is(os.environ, parsed.output)))
    return int(broader and not parsed.allow_broader)


if __name__ == "__main__":
    raise SystemExit(main())
