"""All readers by name. A reader's module is loaded when it is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from midas.datasets.option_types import typed_options
from midas.datasets.reader import Layout, Reader
from midas.errors import ConfigError


@dataclass(frozen=True)
class ReaderEntry:
    """One reader.

    Attributes:
        name: of the set, and of the module in `midas.datasets.readers`.
        class_name: of the reader in that module.
    """

    name: str
    class_name: str

    @property
    def layout(self) -> Layout:
        """Title, homepage, licence and folder tree of the set."""
        layout: Layout = self._module.LAYOUT
        return layout

    @property
    def title(self) -> str:
        """The set's name in prose."""
        return self.layout.title

    @property
    def homepage(self) -> str:
        """Where the set is to be had."""
        return self.layout.homepage

    @property
    def options(self) -> tuple[str, ...]:
        """Names of what can be chosen beside the folder; the reader's docstring explains them."""
        return tuple(inspect.signature(self.reader_class).parameters)[1:]

    @property
    def reader_class(self) -> Callable[..., Reader]:
        """The class, its module loaded: folder and options → reader."""
        reader_class: Callable[..., Reader] = getattr(self._module, self.class_name)
        return reader_class

    @property
    def _module(self) -> Any:
        return import_module(f"midas.datasets.readers.{self.name}")


READERS: dict[str, ReaderEntry] = {
    entry.name: entry
    for entry in (
        ReaderEntry("booster", "BoosterReader"),
        ReaderEntry("corpus", "CorpusDataset"),
        ReaderEntry("da2k", "Da2kReader"),
        ReaderEntry("diode", "DiodeReader"),
        ReaderEntry("diw", "DiwReader"),
        ReaderEntry("eth3d", "Eth3dReader"),
        ReaderEntry("ibims1", "Ibims1Reader"),
        ReaderEntry("kitti", "KittiReader"),
        ReaderEntry("middlebury2014", "Middlebury2014Reader"),
        ReaderEntry("nyu", "NyuReader"),
        ReaderEntry("scannet", "ScannetReader"),
        ReaderEntry("shards", "ShardDataset"),
        ReaderEntry("sintel", "SintelReader"),
        ReaderEntry("tum", "TumReader"),
        ReaderEntry("tum_dynamic", "TumDynamicReader"),
        # To train on.
        ReaderEntry("apolloscape", "ApolloscapeReader"),
        ReaderEntry("arkitscenes", "ArkitscenesReader"),
        ReaderEntry("blendedmvs", "BlendedmvsReader"),
        ReaderEntry("diml", "DimlReader"),
        ReaderEntry("folder", "FolderReader"),
        ReaderEntry("hrwsi", "HrwsiReader"),
        ReaderEntry("hypersim", "HypersimReader"),
        ReaderEntry("irs", "IrsReader"),
        ReaderEntry("megadepth", "MegadepthReader"),
        ReaderEntry("movies", "MoviesReader"),
        ReaderEntry("nyu_raw", "NyuRawReader"),
        ReaderEntry("redweb", "RedwebReader"),
        ReaderEntry("stereo_pairs", "StereoPairsReader"),
        ReaderEntry("sun_rgbd", "SunRgbdReader"),
        ReaderEntry("tartanair", "TartanairReader"),
        ReaderEntry("virtual_kitti2", "VirtualKitti2Reader"),
    )
}


def find_reader(name: str) -> ReaderEntry:
    """The reader of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in READERS:
        raise ConfigError(f"no data set is called {name!r}; {_suggestion(name, tuple(READERS))}")
    return READERS[name]


def open_reader(name: str, root: str | Path, **options: Any) -> Reader:
    """Open a set in its official layout.

    Args:
        name: key of ``READERS``.
        root: the set's folder; ``READERS[name].layout.tree`` shows what is in it.
        options: what the reader lets one choose.

    Raises:
        ConfigError: no such set, option or choice.
        DatasetError: the set isn't there, or not laid out as expected.
    """
    entry = find_reader(name)
    for option in options:
        if option not in entry.options:
            answer = _suggestion(option, entry.options) if entry.options else "it has none"
            raise ConfigError(f"the reader of {name} has no option {option!r}; {answer}")
    return entry.reader_class(root, **typed_options(entry.reader_class, options))


def _suggestion(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
