"""How each metric of the papers' tables is measured here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmengine.config import Config

INSTANCES = 'Instance Segmentation'


@dataclass(frozen=True)
class Measure:
    """How one metric comes out of a test.

    Args:
        key: Its name among the results of the test.
        factor: The factor of the result.
        options: The changes to the config for this test.

    Example:
        >>> Measure('coco/bbox_mAP', 100).factor
        100
    """

    key: str
    factor: float = 1
    options: Mapping[str, str] = field(default_factory=dict)


TESTED = {
    'mIoU': Measure('mIoU'),
    'mAcc': Measure('mAcc'),
    'aAcc': Measure('aAcc'),
    'fine mIoU': Measure('mIoU'),
    'coarse mIoU': Measure('mIoU', options={'model.test_cfg.output': 'coarse'}),
    'top-1': Measure('accuracy/top1'),
    'top-5': Measure('accuracy/top5'),
    'box AP': Measure('coco/bbox_mAP', 100),
    'AP50': Measure('coco/bbox_mAP_50', 100),
    'APs': Measure('coco/bbox_mAP_s', 100),
    'APm': Measure('coco/bbox_mAP_m', 100),
    'APl': Measure('coco/bbox_mAP_l', 100),
}
# Counted from the model without a training. The other metrics of the tables need a benchmark on the right device.
COUNTED = ('params M', 'GFLOPs', 'MFLOPs')
MIXED = 'mask AP or mIoU'


def measure_of(metric: str, task: str) -> Measure | None:
    """Returns how a metric is measured by a test, or None if no test measures it.

    Args:
        metric: Its name in the table.
        task: The task of the row.

    Example:
        >>> measure_of('mask AP or mIoU', 'Instance Segmentation').key
        'coco/segm_mAP'
        >>> measure_of('delta GFLOPs', 'Semantic Segmentation')
    """
    if metric == MIXED:
        return Measure('coco/segm_mAP', 100) if task == INSTANCES else TESTED['mIoU']
    return TESTED.get(metric)


def count(cfg: Config, metrics: list[str]) -> dict[str, float]:
    """Counts the parameters and FLOPs of a config's model by the rule of the table that prints them.

    Example:
        >>> from mmrev.config_files import find_config
        >>> found = count(Config.fromfile(find_config('ra_resnet18_in1k')), ['params M'])
        >>> round(found['params M'], 2)
        11.69
    """
    from mmrev.complexity import complexity

    found = complexity(cfg)
    detector = found.with_classifier is not None
    flops = found.mmcv if detector else found.thop
    figures = {'params M': (found.with_classifier or found.params) / 1e6, 'GFLOPs': flops / 1e9, 'MFLOPs': flops / 1e6}
    return {metric: figures[metric] for metric in metrics}
