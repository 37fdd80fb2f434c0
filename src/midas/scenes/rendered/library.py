"""The library of objects, textures, skies and bodies that scenes are furnished from: made once, then only read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midas.errors import RenderError
from midas.scenes.rendered.claims import claimed
from midas.scenes.rendered.environment import RenderEnvironment
from midas.scenes.rendered.library_plan import Item, library_items
from midas.scenes.rendered.workers import Job, WorkerPool
from midas.storage.atomic import atomic_file

INDEX = "library.json"

# Without these no world can be built; a library that lacks one came from a broken environment.
NEEDED_KINDS = ("asset", "texture", "sky", "body")


@dataclass
class LibraryProgress:
    """How far the building is.

    Attributes:
        done, failed: things made and not made, in this run or before.
        total: that there are to make.
        name: of the last one.
    """

    done: int
    failed: int
    total: int
    name: str = ""

    def __str__(self) -> str:
        failed = f", {self.failed} failed" if self.failed else ""
        return f"library: {self.done} of {self.total}{failed} ({self.name})"


class Library:
    """The library's folder.

    ``library.jsonl`` has a line for each thing that was tried; ``library.json``, written when all of them were, is
    the sorted index that scenes are built from. The same index gives the same scenes.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def is_complete(self) -> bool:
        """It was made to its end."""
        return (self.folder / INDEX).exists()

    @property
    def fingerprint(self) -> str:
        """Names this library's contents: pictures of one seed are the same as long as it is.

        Raises:
            RenderError: the library isn't complete.
        """
        try:
            index = (self.folder / INDEX).read_bytes()
        except OSError as error:
            raise RenderError(f"{self.folder} is no finished library: {error.strerror or error}") from error
        return hashlib.blake2b(index, digest_size=6).hexdigest()

    def build(
        self,
        environment: RenderEnvironment,
        *,
        scale: float = 1.0,
        seed: int = 0,
        workers: int = 1,
        report: Callable[[LibraryProgress], None] = lambda progress: None,
    ) -> None:
        """Make what isn't there yet, and the index. A thing that once failed isn't tried again.

        Raises:
            RenderError: the generator can't be run, another process is building it, or of some kind nothing at all
                could be made.
        """
        if self.is_complete:
            return
        with claimed(self.folder, "filled"):
            self._build(environment, list(library_items(scale, seed)), workers, report)

    def check_size(self, scale: float, seed: int = 0) -> None:
        """A finished library isn't changed, since pictures of a seed would change with it.

        Raises:
            RenderError: it is finished, and of another size than this.
        """
        tried, wanted = set(self._tried()), {item.name for item in library_items(scale, seed)}
        if not self.is_complete or not tried:
            return
        if not wanted <= tried or {entry["name"] for entry in self._entries()} - wanted:
            raise RenderError(
                f"{self.folder} is finished, and not of --library-size {scale:g}: {len(tried)} things were made for "
                f"it, which would be {len(wanted)}; leave the option out, or name another folder with --library"
            )

    def _entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = json.loads((self.folder / INDEX).read_text(encoding="utf-8"))
        return entries

    def _build(
        self,
        environment: RenderEnvironment,
        items: list[Item],
        workers: int,
        report: Callable[[LibraryProgress], None],
    ) -> None:
        tried = self._tried()
        progress = LibraryProgress(
            sum("error" not in tried[item.name] for item in items if item.name in tried),
            sum("error" in tried[item.name] for item in items if item.name in tried),
            len(items),
        )
        # Bodies first: the slowest objects come last, and a library that isn't finished lacks those alone.
        for in_other_process in (True, False):
            left = [item for item in items if item.name not in tried and (item.kind == "body") == in_other_process]
            command = environment.body_command if in_other_process else environment.command
            self._make(command, left, workers, progress, report)
        self._write_index(items)

    def _make(
        self,
        command: list[str],
        items: list[Item],
        workers: int,
        progress: LibraryProgress,
        report: Callable[[LibraryProgress], None],
    ) -> None:
        for limit_s in sorted({item.limit_s for item in items}):
            jobs = _jobs([item for item in items if item.limit_s == limit_s], self.folder)
            # The first of all may have to fill caches of its own.
            pool = WorkerPool(command, min(workers, len(items)), self.folder / "logs", limit_s=limit_s)
            broken = None
            for outcome in pool.outcomes(lambda jobs=jobs: next(jobs, None)):  # type: ignore[misc]
                if outcome.fatal:
                    # The environment's fault and not the thing's, which will be tried again.
                    broken = outcome
                    continue
                facts = {"error": outcome.error} if outcome.error else dict(outcome.reply)
                self._note({"name": outcome.job["name"], "category": outcome.job["category"]} | facts)
                progress.done += outcome.error is None
                progress.failed += outcome.error is not None
                progress.name = outcome.job["name"]
                report(progress)
            if broken is not None:
                raise RenderError(f"the generator can't be run; {broken.error}")

    def _tried(self) -> dict[str, dict[str, Any]]:
        path = self.folder / "library.jsonl"
        if not path.exists():
            return {}
        tried = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                facts = json.loads(line)
            except json.JSONDecodeError:  # the half line of a run that was ended while it wrote
                continue
            tried[facts["name"]] = facts
        return tried

    def _note(self, facts: dict[str, Any]) -> None:
        with (self.folder / "library.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")

    def _write_index(self, items: list[Item]) -> None:
        tried = self._tried()
        entries = []
        for item in sorted(items, key=lambda each: each.name):
            facts = tried[item.name]
            if "error" not in facts:
                entry = {"kind": item.kind, "category": item.category, "name": item.name, "file": item.file_name}
                # How long it took differs from machine to machine, and isn't part of what it is.
                entries.append(
                    entry | {key: value for key, value in facts.items() if key not in ("seconds", "cpu_seconds")}
                )
        missing = set(NEEDED_KINDS) - {entry["kind"] for entry in entries}
        if missing:
            kind = min(missing)
            why = next((tried[item.name]["error"] for item in items if item.kind == kind), "none was asked for")
            raise RenderError(f"of the library's kind {kind!r} nothing could be made: {why}")
        with atomic_file(self.folder / INDEX, overwrite=True) as file:
            file.write((json.dumps(entries, indent=0, sort_keys=True) + "\n").encode())


def _jobs(items: list[Item], folder: Path) -> Iterator[Job]:
    folder.mkdir(parents=True, exist_ok=True)
    for item in items:
        file = (folder / item.file_name).resolve()
        yield {"do": item.kind, "name": item.name, "category": item.category, "file": str(file)} | item.job
