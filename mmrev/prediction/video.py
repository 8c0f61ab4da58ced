"""A video of pictures."""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import mmcv

from mmrev.errors import DataError

from .names import shown
from .sources import Source, frame_rate


def write_video(path: Path, pictures: Sequence[Path], source: Source, every: int = 1) -> None:
    """Joins pictures of one size into a video, with the speed of the source.

    Args:
        path: The file to write, in MP4 with MPEG-4 part 2, which OpenCV's own builds can encode.
        pictures: The files of the pictures, in their order.
        source: The video that the pictures come from.
        every: The step between two frames of the source.

    Raises:
        DataError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f'.unfinished_{path.name}')
    height, width = mmcv.imread(pictures[0]).shape[:2]
    speed = frame_rate(source) / every
    writer = cv2.VideoWriter(str(unfinished), cv2.VideoWriter.fourcc(*'mp4v'), speed, (width, height))
    try:
        for picture in pictures:
            writer.write(mmcv.imread(picture))
        writer.release()
        # OpenCV does not say that a file could not be written
        if cv2.VideoCapture(str(unfinished)).get(cv2.CAP_PROP_FRAME_COUNT) != len(pictures):
            raise DataError(f'{shown(path)} cannot be written: free some space, and run the same command again')
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
