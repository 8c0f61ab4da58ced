"""The dense CRF on the predictions of a segmentor. The network's input gives the image back.

Shapes: N classes, H x W the input of the network, h x w the original image.
"""

import cv2
import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList
from torch import Tensor

from mmrev.errors import ConfigError
from mmrev.evaluation import dense_crf


def refine_with_crf(results: SampleList, inputs: Tensor, preprocessor: SegDataPreProcessor, **crf) -> SampleList:
    """Refines the scores and labels of predictions by a dense CRF, in place.

    Sets ``seg_logits`` to the logarithm of the refined probabilities. Their softmax gives the probabilities back.

    Args:
        results: Predictions at the original size of the images.
        inputs: The input of the network, [B, 3, H, W]: normalised, padded, perhaps flipped.
        preprocessor: The preprocessor that made ``inputs``.
        crf: Arguments of :func:`mmrev.evaluation.dense_crf`.

    Returns:
        ``results``.

    Raises:
        ConfigError: The head predicts a single class by a sigmoid. The CRF needs two or more classes.

    Example:
        >>> sample = SegDataSample(seg_logits=PixelData(data=torch.zeros(2, 8, 8)))
        >>> results = refine_with_crf([sample], torch.zeros(1, 3, 8, 8), SegDataPreProcessor(), iterations=1)
        >>> results[0].seg_logits.data.softmax(0).sum().round()
        tensor(64.)
    """
    for sample, pixels in zip(results, inputs, strict=True):
        scores = sample.seg_logits.data
        if len(scores) < 2:
            raise ConfigError('the dense CRF needs softmax scores of two or more classes, the head has out_channels=1')
        image = original_image(pixels, sample, preprocessor, size=scores.shape[1:])
        probabilities = scores.detach().float().softmax(0).cpu().numpy()
        refined = torch.from_numpy(dense_crf(image, probabilities, **crf)).to(scores.device)
        logits = refined.clamp_min(torch.finfo(refined.dtype).tiny).log()
        labels = logits.argmax(0, keepdim=True)
        sample.set_data({'seg_logits': PixelData(data=logits), 'pred_sem_seg': PixelData(data=labels)})
    return results


def original_image(
    pixels: Tensor, sample: SegDataSample, preprocessor: SegDataPreProcessor, size: tuple[int, int]
) -> np.ndarray:
    """Undoes the normalisation, padding, flip and resizing of an image: [3, H, W] -> [h, w, 3] uint8 RGB.

    Assumes that the image was read as BGR, mmcv's default. The result is exact if the test pipeline does not resize.

    Args:
        pixels: The image as the network saw it.
        sample: Its meta information tells padding and flip.
        preprocessor: The preprocessor that made ``pixels``.
        size: The size (h, w) of the original image.

    Example:
        >>> original_image(torch.full((3, 4, 4), 7.0), SegDataSample(), SegDataPreProcessor(), (4, 4))[0, 0]
        array([7, 7, 7], dtype=uint8)
    """
    if preprocessor._enable_normalize:
        pixels = pixels * preprocessor.std + preprocessor.mean
    meta = sample.metainfo
    left, right, top, bottom = meta.get('img_padding_size', meta.get('padding_size', (0, 0, 0, 0)))
    height, width = pixels.shape[1:]
    pixels = pixels[:, top : height - bottom, left : width - right]
    if meta.get('flip'):
        pixels = pixels.flip(-1 if meta['flip_direction'] == 'horizontal' else -2)
    # open-mmlab's preprocessor has the public name, that of its continuation the private one
    name = 'channel_conversion' if hasattr(preprocessor, 'channel_conversion') else '_channel_conversion'
    if not getattr(preprocessor, name):
        pixels = pixels.flip(0)
    image = pixels.round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
    return image if image.shape[:2] == tuple(size) else cv2.resize(image, tuple(size)[::-1])
