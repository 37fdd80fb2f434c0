"""One sample of a shard: what its members hold.

A sample is a run of members that share their name up to the first dot, as the ``webdataset`` package has it:

    00000012.png              the picture (or .jpg)
    00000012.mask.png         255 where the target is valid
    00000012.disparity.npy    float32; or .disparity.png, 16 bits, with scale and shift in the .json
    00000012.json             name, kind, metric, sparse, shift_known

and for pairs ``.first.npy``, ``.second.npy`` and ``.relation.npy`` in place of mask and disparity.
"""

from __future__ import annotations

import io
import json
import tokenize
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from midas.arrays import Array
from midas.datasets.sample import AnySample, PairSample, Sample
from midas.maps.png import write_png

PictureFormat = Literal["png", "jpg"]
DisparityFormat = Literal["npy", "png16"]

_JPEG_QUALITY = 95
_LARGEST_CODE = 65535

# What decoders raise for damaged members.
DAMAGED = (
    EOFError,
    KeyError,
    MemoryError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    cv2.error,
    tokenize.TokenError,
)

Members = dict[str, bytes]


@dataclass(frozen=True)
class Packing:
    """How samples are stored.

    Attributes:
        samples_per_shard: the last shard may have fewer.
        picture: ``png`` keeps each pixel; ``jpg`` is smaller and doesn't.
        disparity: ``npy`` keeps each bit; ``png16`` is smaller: 65,536 steps from a picture's least to its largest.
    """

    samples_per_shard: int = 1000
    picture: PictureFormat = "png"
    disparity: DisparityFormat = "npy"


def encode_sample(sample: AnySample, packing: Packing) -> Members:
    """A sample as the contents of its members: suffix → bytes."""
    facts: dict[str, Any] = {"name": sample.name}
    members: Members = {packing.picture: _encode_picture(sample.image, packing.picture)}
    if isinstance(sample, PairSample):
        facts["kind"] = "pairs"
        for part in ("first", "second", "relation"):
            members[f"{part}.npy"] = _encode_npy(getattr(sample, part))
    else:
        facts |= {"kind": "map", "metric": sample.metric, "sparse": sample.sparse, "shift_known": sample.shift_known}
        members["mask.png"] = _encode_png(sample.mask.astype(np.uint8) * np.uint8(255))
        if packing.disparity == "npy":
            members["disparity.npy"] = _encode_npy(sample.disparity)
        else:
            codes, facts["scale"], facts["shift"] = _to_codes(sample)
            members["disparity.png"] = _encode_png(codes)
    members["json"] = json.dumps(facts, sort_keys=True).encode()
    return members


def decode_sample(members: Members) -> AnySample:
    """The sample that members hold.

    Raises:
        DAMAGED: a member is missing or damaged.
    """
    facts = json.loads(members["json"])
    image = np.ascontiguousarray(_decode(members["png"] if "png" in members else members["jpg"])[..., ::-1])
    if facts["kind"] == "pairs":
        first, second, relation = (_decode_npy(members[f"{part}.npy"]) for part in ("first", "second", "relation"))
        return PairSample(image, first, second, relation, facts["name"])
    mask = _decode(members["mask.png"]) > 0
    if "disparity.npy" in members:
        disparity = _decode_npy(members["disparity.npy"])
    else:
        values = _decode(members["disparity.png"]) * float(facts["scale"]) + float(facts["shift"])
        disparity = np.where(mask, values, 0).astype(np.float32)
    if not image.shape[:2] == mask.shape == disparity.shape:
        raise ValueError("picture, mask and disparity differ in size")
    # Shards of before version 0.5 don't say whether the shift is known.
    known = bool(facts.get("shift_known", True))
    return Sample(image, disparity, mask, facts["name"], bool(facts["metric"]), bool(facts["sparse"]), known)


def _decode_npy(data: bytes) -> Array:
    return np.asarray(np.load(io.BytesIO(data), allow_pickle=False))


def _decode(data: bytes) -> Array:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("the picture is damaged")
    return np.asarray(pixels)


def _encode_picture(image: Array, form: PictureFormat) -> bytes:
    if form == "png":
        return _encode_png(image)
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()


def _encode_png(pixels: Array) -> bytes:
    buffer = io.BytesIO()
    write_png(buffer, pixels, {})
    return buffer.getvalue()


def _encode_npy(array: Array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _to_codes(sample: Sample) -> tuple[Array, float, float]:
    """16-bit codes, scale and shift: disparity = scale · code + shift where the mask is True."""
    valid = sample.disparity[sample.mask]
    shift, top = (float(valid.min()), float(valid.max())) if valid.size else (0.0, 0.0)
    scale = (top - shift) / _LARGEST_CODE or 1.0
    codes = np.rint((sample.disparity.astype(np.float64) - shift) / scale)
    return np.where(sample.mask, codes, 0).astype(np.uint16), scale, shift
