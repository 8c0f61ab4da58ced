"""The folders of a run of the evidence."""

from dataclasses import dataclass
from pathlib import Path

from .features import extract


@dataclass(frozen=True)
class Sources:
    """Where the data and the weights are, and where files are kept.

    Args:
        data_root: Holds ``camvid/`` and ``tiny_imagenet50/``.
        weights: Holds ``resnet50_caffe_in1k.pth`` and ``mobilenet_v2_in1k.pth``.
        work_dir: For features and other files that are not committed.
        results: Holds the CSVs.
        limit: At most so many images of each split; None for all.
        device: Where the networks are trained.
    """

    data_root: Path
    weights: Path
    work_dir: Path
    results: Path
    limit: int | None = None
    device: str = 'cpu'

    @property
    def camvid(self) -> Path:
        return self.data_root / 'camvid'

    def features(self, scales: tuple[float, ...] = (1.0,)) -> Path:
        """Returns the folder of the frozen features of CamVid. Missing ones are made first."""
        folder = self.work_dir / ('features' if self.limit is None else f'features_of_{self.limit}')
        extract(self.camvid, self.weights / 'resnet50_caffe_in1k.pth', folder, scales, self.limit, self.device)
        return folder
