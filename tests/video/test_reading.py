"""Films as they lie about: every one is read upright, whole, and at its own times."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.video.clips import SIZE, ramp, turn, write_clip

from midas.errors import VideoError
from midas.video.reading import Film
from midas.video.sequences import PictureFilm, open_film

UNEVEN_MS = [0, 33, 200, 210, 900]
PLAIN = {"crf": "4"}


def frames_of(path: Path, **part: float) -> list:
    with Film(path, **part) as film:
        return list(film)


def differs_by(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("clip.mp4", "libx264", "yuv420p"),
        ("clip.mkv", "libx264", "yuv444p"),
        ("clip.webm", "libvpx-vp9", "yuv420p"),
        ("clip.mov", "prores_ks", "yuv422p10le"),
        ("clip.mkv", "libx265", "yuv444p"),
    ],
)
def test_pictures_and_times_come_back(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    clip = write_clip(tmp_path / name, map(ramp, range(5)), UNEVEN_MS, codec=codec, pixels=pixels, options=PLAIN)
    frames = frames_of(clip)
    assert [round(1000 * frame.time_s) for frame in frames] == UNEVEN_MS
    assert max(differs_by(frame.picture, ramp(number)) for number, frame in enumerate(frames)) < 6


def test_a_gif_keeps_its_times_and_colours(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.gif", map(ramp, range(4)), [0, 100, 150, 600], codec="gif", pixels="rgb8")
    frames = frames_of(clip)
    assert [round(1000 * frame.time_s) for frame in frames] == [0, 100, 150, 600]
    assert differs_by(frames[2].picture, ramp(2)) < 25  # of 256 colours


def test_a_part_begins_and_ends_at_the_tick(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", map(ramp, range(50)), options={"g": "25"})
    part = frames_of(clip, start_s=1.0, end_s=1.4)
    assert [round(1000 * frame.time_s) for frame in part] == [1000 + 40 * number for number in range(10)]
    assert part[0].ticks == 0
    assert differs_by(part[0].picture, ramp(25)) < 10


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_film_is_upright(tmp_path: Path, degrees: int) -> None:
    clip = write_clip(tmp_path / "clip.mp4", map(ramp, range(3)), options=PLAIN)
    turn(clip, degrees)
    picture = frames_of(clip)[0].picture
    assert differs_by(picture, np.rot90(ramp(0), -degrees // 90)) < 6


def test_the_colour_matrix_is_the_one_that_the_film_names(tmp_path: Path) -> None:
    for matrix in (1, 5):  # FFmpeg's numbers of BT.709 and BT.601
        source = av.VideoFrame.from_ndarray(ramp(0), "rgb24")
        coded = source.reformat(format="yuv444p", dst_colorspace=matrix)
        clip = write_clip(tmp_path / f"{matrix}.mkv", [coded], pixels="yuv444p", options=PLAIN, colorspace=matrix)
        assert differs_by(frames_of(clip)[0].picture, ramp(0)) < 3


def test_ten_bits_give_the_colours_of_eight(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", [ramp(0)], pixels="yuv420p10le", options=PLAIN)
    assert differs_by(frames_of(clip)[0].picture, ramp(0)) < 4


@pytest.mark.parametrize("transfer", [16, 18], ids=["pq", "hlg"])
def test_high_dynamic_range_is_shown_neither_grey_nor_burnt_out(tmp_path: Path, transfer: int) -> None:
    grey = np.linspace(0, 65535 * 0.75, SIZE[1], dtype=np.uint16)[None, :, None].repeat(SIZE[0], 0).repeat(3, 2)
    frame = av.VideoFrame.from_ndarray(grey, "rgb48le").reformat(format="yuv444p10le", dst_colorspace=9)
    options = {"x265-params": "bframes=0:log-level=none"}
    tags = {"color_trc": transfer, "color_primaries": 9, "colorspace": 9}
    clip = write_clip(tmp_path / "clip.mkv", [frame], codec="libx265", pixels="yuv444p10le", options=options, **tags)
    row = frames_of(clip)[0].picture[SIZE[0] // 2].astype(int)
    assert row[0].max() < 12
    assert row[-1].min() > 205  # paper white in hybrid log gamma
    assert (np.diff(row.mean(axis=1)) > -3).all()
    assert 60 < row[SIZE[1] // 2].mean() < 190
    assert np.ptp(row, axis=1).max() < 12  # grey stays grey


def test_interlaced_frames_lose_their_combs(tmp_path: Path) -> None:
    def woven(number: int) -> np.ndarray:
        picture = np.full((*SIZE, 3), 40, np.uint8)
        for field in (0, 1):
            left = 4 * (2 * number + field)
            picture[field::2, left : left + 16] = 220
        return picture

    options = {"flags": "+ildct+ilme", "x264-params": "tff=1", "crf": "4"}
    frames = []
    for number in range(6):
        frame = av.VideoFrame.from_ndarray(woven(number), "rgb24").reformat(format="yuv420p", dst_colorspace=5)
        frames.append(frame)
    clip = write_clip(tmp_path / "clip.mkv", frames, options=options)
    read = frames_of(clip)
    assert len(read) == 6
    assert [round(1000 * each.time_s) for each in read] == [40 * number for number in range(6)]
    combs = [np.abs(np.diff(each.picture[..., 1].astype(int), axis=0)).mean() for each in read[1:-1]]
    assert max(combs) < 0.5 * np.abs(np.diff(woven(2)[..., 1].astype(int), axis=0)).mean()


def test_pixels_that_are_not_square_are_known(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", map(ramp, range(2)), aspect=Fraction(16, 11))
    with Film(clip) as film:
        assert film.format.pixel_aspect == Fraction(16, 11)


def test_streams_can_be_read_that_can_not_be_rewound(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", map(ramp, range(6)))
    with subprocess.Popen(["cat", str(clip)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with Film(process.stdout) as film:
            assert len(list(film)) == 6


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(VideoError, match="no moving picture"), Film(path):
        pass


@pytest.mark.parametrize("content", [b"", b"no film at all" * 100], ids=["empty", "text"])
def test_what_is_no_film_is_an_error_of_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=r"can't be opened as a film") as caught, Film(path):
        pass
    assert "\n" not in str(caught.value)


def test_a_missing_film_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="No such file"), Film(tmp_path / "nothing.mp4"):
        pass


def test_a_film_that_is_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", map(ramp, range(100)), options={"g": "10"})
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) * 7 // 10])
    assert 50 < len(frames_of(clip)) < 90


def test_flipped_bytes_cost_some_frames_and_are_counted(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", map(ramp, range(100)), options={"g": "5"})
    whole, left = clip.read_bytes(), []
    # Encoders write other bytes on other processors, and one flipped byte may cost a frame or a cluster.
    for seed in range(5):
        data, random = bytearray(whole), np.random.default_rng(seed)
        for place in random.integers(600, len(data), len(data) // 100):
            data[place] ^= 0x5A
        clip.write_bytes(data)
        with Film(clip) as film:
            frames = list(film)
        times = [frame.time_s for frame in frames]
        assert times == sorted(set(times))
        left.append(len(frames))
    assert 20 < np.mean(left) < 100
    assert min(left) > 0
    assert max(left) <= 100


def test_a_change_of_sampling_in_the_middle_changes_no_colour(tmp_path: Path) -> None:
    parts = []
    for pixels in ("yuvj422p", "yuvj420p"):
        options = {"qmin": "1", "qmax": "2"}
        part = write_clip(
            tmp_path / f"{pixels}.mjpeg",
            [ramp(0)] * 3,
            codec="mjpeg",
            pixels=pixels,
            container="mjpeg",
            options=options,
        )
        parts.append(part.read_bytes())
    clip = tmp_path / "clip.mjpeg"
    clip.write_bytes(b"".join(parts))
    frames = frames_of(clip)
    assert len(frames) == 6
    assert max(differs_by(frame.picture, ramp(0)) for frame in frames) < 8


def test_numbered_pictures_are_a_film(tmp_path: Path) -> None:
    from PIL import Image

    for number in (10, 9, 8):
        Image.fromarray(ramp(number)).save(tmp_path / f"shot_{number}.png")
    for source in (tmp_path, tmp_path / "shot_*.png", tmp_path / "shot_%d.png"):
        with open_film(source, 0.0, None, 10.0) as film:
            frames = list(film)
        assert isinstance(film, PictureFilm)
        assert [round(frame.time_s, 3) for frame in frames] == [0, 0.1, 0.2]
        assert differs_by(frames[0].picture, ramp(8)) == 0


def with_cover(path: Path, *, film: bool) -> Path:
    """Sound and the cover of an album, larger than any frame; with a film, or without."""
    with av.open(str(path), "w", format="mp4") as output:
        heard = output.add_stream("aac", rate=48000, layout="mono")
        seen = output.add_stream("libx264", rate=25, options=PLAIN) if film else None
        if seen is not None:
            seen.height, seen.width, seen.pix_fmt = *SIZE, "yuv420p"
        cover = output.add_stream("png", rate=1)
        cover.height, cover.width, cover.pix_fmt = 200, 200, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        output.mux(cover.encode(av.VideoFrame.from_ndarray(np.full((200, 200, 3), 255, np.uint8), "rgb24")))
        for number in range(3 if seen is not None else 0):
            frame = av.VideoFrame.from_ndarray(ramp(number), "rgb24")
            frame.pts = number
            output.mux(seen.encode(frame))
        if seen is not None:
            output.mux(seen.encode(None))
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        tone.sample_rate = 48000
        output.mux(heard.encode(tone))
        output.mux(heard.encode(None))
    return path


def test_the_cover_of_an_album_is_no_film(tmp_path: Path) -> None:
    frames = frames_of(with_cover(tmp_path / "clip.mp4", film=True))
    assert [frame.picture.shape[:2] for frame in frames] == [SIZE] * 3
    with av.open(str(with_cover(tmp_path / "song.m4a", film=False))) as song:
        assert len(song.streams.video) == 1  # the cover looks like a film to FFmpeg
    with pytest.raises(VideoError, match="no moving picture"), Film(tmp_path / "song.m4a"):
        pass
