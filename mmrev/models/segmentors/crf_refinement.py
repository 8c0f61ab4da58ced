"""Dense CRF on a segmentor's predictions: the image comes back out of the network's own input."""

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
    """Replaces scores and labels of predictions by those after the CRF.

    Args:
        results: Predictions at the images' original sizes, changed in place. ``seg_logits`` becomes the logarithm of
            the refined probabilities, so that its softmax is they.
        inputs: What the network saw, [B, 3, H, W]: normalised, padded, perhaps flipped.
        preprocessor: What made ``inputs``.
        crf: Arguments of :func:`mmrev.evaluation.dense_crf`.

    Raises:
        ConfigError: The predictions are of one class only (a sigmoid): the CRF needs two or more.
    """
    for sample, pixels in zip(results, inputs, strict=True):
        scores = sample.seg_logits.data
        if len(scores) < 2:
            raise ConfigError('the dense CRF needs softmax scores of two or more classes, the head has out_channels=1')
        image = original_image(pixels, sample, preprocessor, size=scores.shape[1:])
        probabilities = scores.detach().float().softmax(0).cpu().numpy()
        refined = torch.from_numpy(dense_crf(image, probabilities, **crf)).to(scores.device)
        logits = refined.clamp_min(torch.finfo(refined.dtype).tiny).log()
        sample.set_data(
            {'seg_logits': PixelData(data=logits), 'pred_sem_seg': PixelData(data=logits.argmax(0, keepdim=True))}
        )
    return results


def original_image(
    pixels: Tensor, sample: SegDataSample, preprocessor: SegDataPreProcessor, size: tuple[int, int]
) -> np.ndarray:
    """Undoes normalisation, padding, flip and resize: [3, H, W] -> [h, w, 3] uint8 RGB.

    Images are taken to be read as BGR, as mmcv does by default. Exact where the test pipeline does not resize.
    """
    if preprocessor._enable_normalize:
        pixels = pixels * preprocessor.std + preprocessor.mean
    meta = sample.metainfo
    left, right, top, bottom = meta.get('img_padding_size', meta.get('padding_size', (0, 0, 0, 0)))
    height, width = pixels.shape[1:]
    pixels = pixels[:, top : height - bottom, left : width - right]
    if meta.get('flip'):
        pixels = pixels.flip(-1 if meta['flip_direction'] == 'horizontal' else -2)
    if not preprocessor._channel_conversion:
        pixels = pixels.flip(0)
    image = pixels.round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
    return image if image.shape[:2] == tuple(size) else cv2.resize(image, tuple(size)[::-1])
