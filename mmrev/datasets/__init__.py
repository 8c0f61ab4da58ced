from mmrev.hosts import host_problem, register_explanations
from mmrev.registry import DATASETS, TRANSFORMS

_NEED_MMSEG = ('CamVidDataset', 'DigitScenesDataset', 'NYUDv2Dataset', 'PascalPersonPartDataset')

if host_problem('mmcv') is None:
    from .transforms import BoundaryLabels, CheckLabels  # noqa: F401
else:
    register_explanations(TRANSFORMS, 'mmcv', ['BoundaryLabels', 'CheckLabels'])
if host_problem('mmseg') is None:
    from .digit_scenes import DigitScenesDataset  # noqa: F401
    from .segmentation import CamVidDataset, NYUDv2Dataset, PascalPersonPartDataset  # noqa: F401
else:
    register_explanations(DATASETS, 'mmseg', _NEED_MMSEG)
