"""The pictures that the user asks for: files, folders, patterns and videos."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmrev.errors import DataError

from .names import output_names, shown

if TYPE_CHECKING:
    import cv2

PICTURES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
VIDEOS = ('.mp4', '.mov', '.avi', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv')


@dataclass(frozen=True)
class Source:
    """A picture, a video, or one frame of a video.

    Args:
        path: The file.
        name: The name of its predictions, without suffix.
        frame: The number of the frame.
        image: The frame, BGR, [H, W, 3] uint8.

    Example:
        >>> Source(Path('a.mp4'), 'a').is_video, Source(Path('a.mp4'), 'a/000003', frame=3).title
        (True, 'a.mp4#3')
    """

    path: Path
    name: str
    frame: int | None = None
    image: np.ndarray | None = None

    @property
    def is_video(self) -> bool:
        return self.frame is None and self.path.suffix.lower() in VIDEOS

    @property
    def title(self) -> str:
        """The path, and the number of the frame."""
        return str(self.path) if self.frame is None else f'{self.path}#{self.frame}'


def find_sources(inputs: Iterable[str | Path], leave_out: Path | None = None) -> tuple[list[Source], list[str]]:
    """Finds the pictures and videos, each one once.

    Args:
        inputs: Files, folders (with all their sub-folders) and patterns such as ``'photos/**/*.jpg'``.
        leave_out: A folder whose files are not taken, because it is that of the predictions.

    Returns:
        The sources, and a line for each input that is missing or has no pictures.

    Raises:
        DataError: There is none at all.

    Example:
        >>> find_sources(['no_such_folder'])
        Traceback (most recent call last):
        mmrev.errors.DataError: no_such_folder is missing: expected a picture, a video, a folder ...
    """
    files: dict[Path, Path] = {}
    problems = []
    for text in map(str, inputs):
        try:
            found = _find(text, leave_out)
        except DataError as problem:
            problems.append(str(problem))
            continue
        for path in found:
            root = Path(text) if Path(text).is_dir() else path.parent
            files.setdefault(Path(os.path.abspath(path)), Path(os.path.abspath(root)))
    if not files:
        raise DataError(problems[0] if problems else 'no picture was named')
    names = output_names([(root, path) for path, root in files.items()])
    return _apart([Source(_short(path), name) for path, name in zip(files, names, strict=True)]), problems


def frames(video: Source, every: int = 1, skip: Iterable[str] = ()) -> Iterator[Source]:
    """Yields the frames of a video, turned as a viewer shows them.

    Args:
        video: The video.
        every: 1 for all frames, 2 for every second one.
        skip: The names of frames that are not needed.

    Raises:
        DataError: The video is unreadable, or ends too early. All its readable frames were yielded before.
    """
    skip = set(skip)
    capture = _open(video)
    import cv2

    if not capture.isOpened():
        raise DataError(f'{shown(video.path)} cannot be read as a video: convert it to MP4 (H.264)')
    expected, number = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0
    while capture.grab():
        name = f'{video.name}/{number:06d}'
        if number % every == 0 and name not in skip:
            readable, image = capture.retrieve()
            if not readable:
                break
            yield Source(video.path, name, number, image)
        number += 1
    # the count in the file is an estimate in some formats
    if number < 0.9 * expected or not number:
        raise DataError(f'{shown(video.path)} ends after {number} of {expected} frames: copy or convert it again')


def frame_count(video: Source, every: int = 1) -> int:
    """Returns the number of frames that a video claims to have, for the progress bar."""
    capture = _open(video)
    import cv2

    return -(-max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0) // every)


def frame_rate(video: Source) -> float:
    """Returns the frames a second of a video; 25 where the file does not say."""
    capture = _open(video)
    import cv2

    return capture.get(cv2.CAP_PROP_FPS) or 25.0


def _open(video: Source) -> 'cv2.VideoCapture':
    if find_spec('cv2') is None:
        raise DataError(f'{shown(video.path)}: a video needs OpenCV: pip install opencv-python-headless')
    import cv2

    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')  # a broken file is named in one line, by us
    return cv2.VideoCapture(str(video.path), cv2.CAP_FFMPEG)


def _find(text: str, leave_out: Path | None) -> list[Path]:
    path = Path(text)
    if path.is_dir():
        return _in_folder(path, leave_out)
    if os.path.lexists(path):
        return [path]
    if found := sorted(Path(match) for match in glob.glob(text, recursive=True) if os.path.isfile(match)):
        return found
    raise DataError(
        f"{shown(text)} is missing: expected a picture, a video, a folder or a pattern such as 'photos/*.jpg'"
    )


def _in_folder(folder: Path, leave_out: Path | None) -> list[Path]:
    found, others = [], set()
    left_out = leave_out and leave_out.resolve()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if not n.startswith('.') and Path(place, n).resolve() != left_out)
        for name in sorted(name for name in names if not name.startswith('.')):
            suffix = Path(name).suffix.lower()
            if suffix in PICTURES:
                found.append(Path(place, name))
            else:
                others.add(suffix or name)
    if not found:
        has = f'; it has {", ".join(sorted(map(shown, others))[:5])} files' if others else ''
        hint = '. Name a video itself' if others & set(VIDEOS) else ''
        raise DataError(f'{shown(folder)} has no pictures: expected {" ".join(PICTURES)} files{has}{hint}')
    return found


def _short(path: Path) -> Path:
    """Returns the path as seen from here, where it is below."""
    here = Path(os.path.abspath('.'))
    return path.relative_to(here) if path.is_relative_to(here) else path


def _apart(sources: Sequence[Source]) -> list[Source]:
    """Lets a video keep its suffix where its frames could take the names of pictures."""
    pictures = [source.name for source in sources if not source.is_video]
    return [
        replace(source, name=source.name + source.path.suffix)
        if source.is_video and any(name.startswith(f'{source.name}/') for name in pictures)
        else source
        for source in sources
    ]
