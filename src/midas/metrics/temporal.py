"""Metrics of steadiness: how far the maps of a video agree with one another, whether or not they are right."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Bool, Float, Float64
from midas.errors import MidasError


def flow_warping_error(
    earlier: Float[Array, "H W"],
    later: Float[Array, "H W"],
    mask: Bool[Array, "H W"] | None = None,
    flow_px: Float[Array, "H W 2"] | None = None,
) -> float:
    """Mean of |later - earlier, moved by the flow| over visible pixels: in the maps' unit, lower is better.

    OPW of Wang et al., "Less is More: Consistent Video Depth Estimation with Masked Frames Modeling" (2022), for one
    pair of frames; a video's is the mean over its pairs. Their weight for what is seen in both frames, which falls with
    the difference of colours, is the caller's mask here. What the flow takes out of the earlier frame is left out.

    Args:
        earlier, later: maps of two frames, on one scale: aligned together, or each brought to the same range.
        mask: True where the later frame shows what the earlier one shows too; None for everywhere.
        flow_px: from each pixel of the later frame to its place in the earlier: to the right and down, in pixels, as in
            .flo files. Between pixels it is interpolated linearly. None for a camera and a scene that stand still.

    Raises:
        MidasError: no pixel is visible in both frames, or on one that is a map isn't finite.
    """
    visible = np.ones(later.shape, np.bool_) if mask is None else mask
    rows, columns = np.nonzero(visible)
    if flow_px is None:
        moved = earlier[rows, columns].astype(np.float64)
    else:
        height, width = later.shape
        from_row, from_column = rows + flow_px[rows, columns, 1], columns + flow_px[rows, columns, 0]
        inside = (from_row >= 0) & (from_row <= height - 1) & (from_column >= 0) & (from_column <= width - 1)
        rows, columns = rows[inside], columns[inside]
        moved = _interpolate(earlier, from_row[inside].astype(np.float64), from_column[inside].astype(np.float64))
    if rows.size == 0:
        raise MidasError("the two frames have no visible pixel in common: give another mask or flow, or leave them out")
    error = float(np.mean(np.abs(later[rows, columns] - moved)))
    if not np.isfinite(error):
        raise MidasError("a map isn't finite on a visible pixel: leave such pixels out of the mask")
    return error


def gauge_wobble(
    predictions: Float[Array, "T H W"], targets: Float[Array, "T H W"], masks: Bool[Array, "T H W"] | None = None
) -> float:
    """Standard deviation over a video's frames of the logarithm of each frame's scale to the truth: lower is better.

    The scale is that of the least squares ``prediction ≈ scale * target + shift``, frame by frame; what flickers as a
    whole shows here, whatever moves. The prediction stands to the left, so that its noise doesn't make the scale small.

    Args:
        predictions: the maps, as they are.
        targets: the truth in the same quantity: inverse depth for relative disparity.
        masks: True where the truth is valid; None for everywhere.

    Raises:
        MidasError: fewer than two frames, or one whose truth is constant or whose map doesn't grow with it.
    """
    if len(predictions) < 2:
        raise MidasError(f"{len(predictions)} frames: expected at least two to compare")
    scales = []
    for number, (prediction, target) in enumerate(zip(predictions, targets, strict=True)):
        valid = slice(None) if masks is None else masks[number]
        x, y = target[valid].astype(np.float64).ravel(), prediction[valid].astype(np.float64).ravel()
        spread = float(np.mean((x - x.mean()) ** 2)) if x.size else 0.0
        slope = float(np.mean((x - x.mean()) * (y - y.mean()))) / spread if spread > 0 else 0.0
        if not slope > 0:
            raise MidasError(f"frame {number} has no scale: its truth is constant, or its map doesn't grow with it")
        scales.append(slope)
    return float(np.std(np.log(scales)))


def temporal_gradient_error(
    predictions: Float[Array, "T H W"], targets: Float[Array, "T H W"], threshold: float = 0.05
) -> float:
    """Mean of | |change of the prediction| - |change of the truth| | from frame to frame: lower is better.

    The temporal gradient matching of Chen et al., "Video Depth Anything" (2025), as a figure: only where the truth
    changes by less than ``threshold``, so that what comes into view is left out.

    Args:
        predictions: aligned to the truth with one scale and shift for the whole video.
        targets: the truth, in 0 to 1.
        threshold: of the truth's change.

    Raises:
        MidasError: fewer than two frames, or the truth changes everywhere by more.
    """
    if len(predictions) < 2:
        raise MidasError(f"{len(predictions)} frames: expected at least two to compare")
    changes, true_changes = (np.abs(np.diff(each.astype(np.float64), axis=0)) for each in (predictions, targets))
    calm = true_changes < threshold
    if not calm.any():
        raise MidasError(f"the truth changes everywhere by {threshold} or more: give a larger threshold")
    return float(np.abs(changes - true_changes)[calm].mean())


def self_consistency(
    earlier: Float[Array, "H W"],
    later: Float[Array, "H W"],
    mask: Bool[Array, "H W"] | None = None,
    flow_px: Float[Array, "H W 2"] | None = None,
) -> float:
    """Warping error in units of the later map's own range, 5th to 95th percentile: lower is better, needs no truth.

    Args:
        earlier, later, mask, flow_px: as for ``flow_warping_error``.

    Raises:
        MidasError: as there, or the later map is constant.
    """
    low, high = np.percentile(later, (5, 95))
    if not high > low:
        raise MidasError("the later map is constant: it would win without saying anything")
    return flow_warping_error(earlier, later, mask, flow_px) / float(high - low)


def temporal_alignment_error(
    depths_m: Float[Array, "T H W"],
    intrinsics: Float[Array, "3 3"],
    poses: Float[Array, "T 4 4"],
    masks: Bool[Array, "T H W"] | None = None,
) -> float:
    """Temporal alignment error (TAE): percent, lower is better (Chen et al., "Video Depth Anything", 2025).

    The mean over neighbouring frames, and over both ways between them, of the relative difference |z - d| / d of the
    one frame's depth d and the other's points, seen from its camera, at depth z. A point goes to the nearest pixel; of
    several on one pixel the nearest is seen, whereas the authors' program takes the last. What moves counts as error.

    Args:
        depths_m: metres, aligned with one scale and shift for the whole video.
        intrinsics: focal lengths and principal point in pixels, ``[[fx, 0, cx], [0, fy, cy], [0, 0, 1]]``; pixel
            centres have whole coordinates.
        poses: rotation and translation from each camera's coordinates (right, down, forward) to the world's, in metres.
        masks: True where a depth is valid; None for everywhere. The authors' program masks the frame that is looked at
            only, and not the one whose points are moved.

    Raises:
        MidasError: fewer than two frames, two neighbours that share no pixel, a valid depth that isn't positive and
            finite, or focal lengths that aren't positive.
    """
    valid = np.ones(depths_m.shape, np.bool_) if masks is None else masks
    if len(depths_m) < 2:
        raise MidasError(f"{len(depths_m)} frames: expected at least two to compare")
    if not (intrinsics[0, 0] > 0 and intrinsics[1, 1] > 0):
        raise MidasError(
            "the intrinsics' focal lengths are not positive: expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]"
        )
    depths = np.where(valid, depths_m, 1).astype(np.float64)
    if not ((depths > 0) & (depths < np.inf)).all():
        raise MidasError("a valid depth isn't positive and finite: cut it to a range, or leave it out of the masks")
    errors = []
    for one in range(len(depths) - 1):
        for source, view in ((one, one + 1), (one + 1, one)):
            seen = _reproject(depths[source], valid[source], intrinsics, poses[source], poses[view])
            shared = valid[view] & (seen < np.inf)
            if not shared.any():
                raise MidasError(
                    f"frame {source} shows nothing that frame {view} shows: expected neighbours that overlap"
                )
            errors.append(np.mean(np.abs(seen[shared] - depths[view][shared]) / depths[view][shared]))
    return 100.0 * float(np.mean(errors))


def _interpolate(
    values: Float[Array, "H W"], rows: Float64[Array, " N"], columns: Float64[Array, " N"]
) -> Float64[Array, " N"]:
    """Values between pixels, bilinear; a neighbour that has no share in the result has no influence."""
    top, left = np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
    total = np.zeros(rows.shape)
    for row, row_share in ((top, 1 - (rows - top)), (top + 1, rows - top)):
        for column, column_share in ((left, 1 - (columns - left)), (left + 1, columns - left)):
            share = row_share * column_share
            counts = share > 0
            total[counts] += share[counts] * values[row[counts], column[counts]]
    return total


def _reproject(
    depth_m: Float64[Array, "H W"],
    valid: Bool[Array, "H W"],
    intrinsics: Float[Array, "3 3"],
    source: Float[Array, "4 4"],
    view: Float[Array, "4 4"],
) -> Float64[Array, "H W"]:
    """Depth of one camera's points as another sees them: the nearest at each pixel, infinite where there is none."""
    focal, centre = np.array([intrinsics[0, 0], intrinsics[1, 1]]), intrinsics[:2, 2]
    rows, columns = np.nonzero(valid)
    z = depth_m[rows, columns]
    points = np.stack([(columns - centre[0]) / focal[0] * z, (rows - centre[1]) / focal[1] * z, z])
    in_world = source[:3, :3] @ points + source[:3, 3:]
    x, y, z = view[:3, :3].T @ (in_world - view[:3, 3:])
    x, y, z = (coordinate[z > 0] for coordinate in (x, y, z))
    columns, rows = np.rint(x / z * focal[0] + centre[0]), np.rint(y / z * focal[1] + centre[1])
    inside = (rows >= 0) & (rows < depth_m.shape[0]) & (columns >= 0) & (columns < depth_m.shape[1])
    nearest = np.full(depth_m.shape, np.inf)
    np.minimum.at(nearest, (rows[inside].astype(np.int64), columns[inside].astype(np.int64)), z[inside])
    return nearest
