"""Which column of a Parquet file holds pictures, or where they lie, and what each row is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from midas.errors import ConfigError, ImageError

# In the order in which they are looked for. A struct of bytes and path is what the `datasets` package writes.
_BYTES = ("image", "bytes", "jpg", "jpeg", "png", "webp", "content", "data", "picture", "img")
_PATHS = ("path", "url", "uri", "file", "filename", "source", "key", "image", "address")
_NAMES = ("path", "name", "file", "filename", "file_name", "key", "__key__", "id", "image_id", "url")
_STRUCT_BYTES, _STRUCT_PATH = "bytes", "path"


@dataclass(frozen=True)
class PictureColumn:
    """Where the pictures of a Parquet file are.

    Attributes:
        name: of the column; of a field of a struct with a dot.
        holds_paths: they lie elsewhere, and this says where.
    """

    name: str
    holds_paths: bool = False


@dataclass(frozen=True)
class NameColumn:
    """What the rows of a Parquet file are called."""

    name: str

    def values(self, parquet: pq.ParquetFile) -> Iterator[str | None]:
        """The names in order; None where a row has none."""
        for batch in parquet.iter_batches(columns=[self.name]):
            for value in values_of(batch, self.name):
                yield None if value is None else str(value)


def picture_column(schema: pa.Schema, wanted: str | None, title: str) -> PictureColumn:
    """Where the pictures are.

    Args:
        schema: of the file.
        wanted: the column that the user named.
        title: of the file, for messages.

    Raises:
        ConfigError: there is no such column, or it holds neither bytes nor text.
        ImageError: no column looks like it.
    """
    if wanted is not None:
        if wanted not in schema.names:
            raise ConfigError(f"{title} has no column {wanted!r}; there are: {', '.join(schema.names)}")
        found = _as_pictures(schema, wanted) or _as_paths(schema, wanted)
        if found is None:
            raise ConfigError(f"{title}: column {wanted!r} is {schema.field(wanted).type}; expected bytes, or paths")
        return found
    for look, names in ((_as_pictures, _BYTES), (_as_paths, _PATHS)):
        for name in names:
            found = look(schema, name) if name in schema.names else None
            if found is not None:
                return found
    raise ImageError(
        f"{title} has no column of pictures (bytes in {', '.join(_BYTES)}) or of paths ({', '.join(_PATHS)}); name it "
        f"with --column; there are: {', '.join(schema.names)}"
    )


def name_column(schema: pa.Schema, pictures: PictureColumn) -> NameColumn | None:
    """What the rows are called, if anything says it."""
    struct = pictures.name.partition(".")[0]
    if "." in pictures.name and any(field.name == _STRUCT_PATH for field in schema.field(struct).type):
        return NameColumn(f"{struct}.{_STRUCT_PATH}")
    found = next((name for name in _NAMES if name in schema.names and _is_text(schema.field(name).type)), None)
    return None if found is None else NameColumn(found)


def values_of(batch: pa.RecordBatch, name: str) -> list[Any]:
    """A column's values, or those of a field of a struct."""
    column, _, inner = name.partition(".")
    values = batch.column(batch.schema.get_field_index(column)).to_pylist()
    return [value and value.get(inner) for value in values] if inner else values


def _as_pictures(schema: pa.Schema, name: str) -> PictureColumn | None:
    kind = schema.field(name).type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return PictureColumn(name)
    if pa.types.is_struct(kind) and any(field.name == _STRUCT_BYTES for field in kind):
        return PictureColumn(f"{name}.{_STRUCT_BYTES}")
    return None


def _as_paths(schema: pa.Schema, name: str) -> PictureColumn | None:
    return PictureColumn(name, holds_paths=True) if _is_text(schema.field(name).type) else None


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
