"""ZipDepth's published names of tensors as ours, by the rules that ``legacy_keys`` applies."""

from __future__ import annotations

import re
from collections.abc import Callable

Rule = tuple[str, str | Callable[[re.Match[str]], str]]


def _stage_block(match: re.Match[str]) -> str:
    """A block of a published stage; ours begin with the block that reduces, which the first stage hasn't."""
    stage, block = int(match[1]), int(match[2])
    return f"encoder.stages.{stage - 1}.{block + (stage > 1)}."


RULES: tuple[Rule, ...] = (
    (r"^encoder\.stem_half\.", "encoder.stem.0."),
    (r"^encoder\.stem_quarter\.", "encoder.stem.1."),
    (r"^encoder\.down(\d)\.", lambda match: f"encoder.stages.{int(match[1]) - 1}.0."),
    (r"^encoder\.stage(\d)\.(\d)\.", _stage_block),
    (r"\.branch_3x3\.", ".wide."),
    (r"\.branch_1x1\.", ".narrow."),
    (r"\.branch1\.", ".around.first."),
    (r"\.branch2\.", ".around.second."),
    (r"^(encoder\.stages\.1\.\d)\.bn\.", r"\1.around.norm."),
    (r"\.(gate_conv|fc)\.", ".gate."),
    (r"\.context_weight\.", ".importance."),
    (r"^encoder\.spp\.cv1\.", "encoder.pooling.before."),
    (r"^encoder\.spp\.cv2\.", "encoder.pooling.after."),
    (r"^encoder\.cross_scale\.low_to_high\.", "encoder.exchange.to_fine."),
    (r"^encoder\.cross_scale\.high_to_low\.", "encoder.exchange.to_coarse."),
    (r"^decoder\.proj4\.", "decoder.narrow."),
    (r"^decoder\.fuse_half\.", "decoder.fusions.0."),
    (r"^decoder\.fuse(\d)\.", r"decoder.fusions.\1."),
    (r"^(decoder\.fusions\.\d)\.proj_high\.", r"\1.first."),
    (r"^(decoder\.fusions\.\d)\.proj_low\.", r"\1.second."),
    (r"^(decoder\.fusions\.\d)\.bn\.", r"\1.norm."),
    (r"^decoder\.head_half\.", "head.disparity."),
    (r"^decoder\.convex_up\.(mask_pred|where_conv)\.", "head.upsampling.weights."),
    (r"\.conv\.weight$", ".0.weight"),
    (r"\.bn\.", ".1."),
)

# The authors' program leaves out what a checkpoint holds beyond the network. An encoder with more in it is another one.
DROPPED = (
    (r"^(mean|std)$", "the normalisation of pixels, which the input rule states"),
    (r"^(?!encoder\.|decoder\.)", "beside the network: of the training only"),
    (r"^decoder\.(?!(proj4|fuse[123]|fuse_half|head_half|convex_up)\.)", "a part of the decoder for the training only"),
)
