"""The intervals over images: would the difference hold for other test images?

They come from confusion matrices of each image, which are too large for the repository. So the intervals themselves are
kept, beside the runs.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .paired import bootstrap_over_images

FILE = 'over_images.csv'


class ImageIntervals:
    """The 95 % intervals of the difference to the baseline when the test images are drawn anew.

    Args:
        results: Holds ``over_images.csv``, which may be missing.
        work_dir: Holds the confusion matrices of the images. They may be missing too.
    """

    def __init__(self, results: Path, work_dir: Path) -> None:
        self._file, self._matrices = results / FILE, work_dir / 'kept'
        self._known: dict[tuple[str, str], tuple[str, float, float]] = {}
        if self._file.exists():
            with self._file.open(newline='') as file:
                for study, method, seeds, low, high in list(csv.reader(file))[1:]:
                    self._known[study, method] = seeds, float(low), float(high)

    def find(self, study: str, baseline: str, method: str, seeds: Sequence[int]) -> tuple[float, float] | None:
        """Returns the interval in points of mIoU, or None if it is not known for these seeds.

        The confusion matrices are summed over the seeds. Where some are missing, the kept interval is taken.
        """
        sides = [[self._matrices / study / f'{seed}_{name}.npy' for seed in seeds] for name in (method, baseline)]
        asked = ' '.join(map(str, seeds))
        if all(file.exists() for side in sides for file in side):
            low, high = bootstrap_over_images(*(sum(np.load(file) for file in side) for side in sides))
            self._known[study, method] = asked, low, high
        found = self._known.get((study, method))
        return found[1:] if found and found[0] == asked else None

    def save(self) -> None:
        """Keeps all intervals for a machine without the confusion matrices."""
        if not self._known:
            return
        whole = self._file.with_suffix('.tmp')  # a full disk must not cost the old ones
        with whole.open('w', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(['study', 'method', 'seeds', 'low', 'high'])
            for key, (seeds, low, high) in self._known.items():
                writer.writerow([*key, seeds, f'{low:.2f}', f'{high:.2f}'])
        whole.replace(self._file)
