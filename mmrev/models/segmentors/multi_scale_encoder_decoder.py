"""Multi-scale inputs (MSC) around any backbone and decode head, as in DeepLabv2.

Shapes: B batch, N classes, H x W the image, S scales.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.utils import OptSampleList, SampleList, add_prefix
from torch import Tensor

from mmrev.errors import ConfigError
from mmrev.registry import MODELS

from ..decode_heads.scale_attention_head import AttentionMaps, ScaleAttentionHead
from .crf_refinement import refine_with_crf
from .fusion import at_largest, build_fusion, fuse_scores


@MODELS.register_module()
class MultiScaleEncoderDecoder(EncoderDecoder):
    """Runs one network on the image at several scales and fuses the score maps, in training and in testing.

    The maps of all scales are resized to the largest and fused element by element. Every scale has the losses of the
    head (``decode.scale_0.5.*``), and so have the fused maps (``decode.*``). With one scale this is mmseg's
    ``EncoderDecoder``. The order of the scales does not matter to ``'max'`` and ``'avg'``.

    A head whose ``forward`` gives a tensor, or a (named) tuple of them, is fused before its ``loss_by_feat`` and
    ``predict_by_feat``; a head with a ``forward_branches`` is fused branch by branch in training. A head with a
    ``loss`` or a ``predict`` of its own is left to it: then each scale has its losses and the fused map has none, or
    the predictions, at the size of the image, are fused instead of the scores.

    Scales run one after the other, and of each no more is kept than is fused.

    Args:
        scales: Factors of the image's height and width, each > 0.
        fusion: ``'max'`` (DeepLabv2), ``'avg'``, or the config of a learned fusion: ``mmrev.ScaleAttentionHead``, or a
            module that takes a list of S maps [B, N, h, w], in the order of ``scales``, and returns one.
        extra_supervision: Whether each scale has losses of its own.
        test_cfg: As in ``EncoderDecoder``, and ``crf``: the arguments of :func:`mmrev.evaluation.dense_crf`, which
            then refines every prediction (``{}`` for its defaults, None or False for none).
        kwargs: As in ``EncoderDecoder``.

    Raises:
        ConfigError: ``scales`` is empty, holds a number <= 0 or one twice; ``fusion`` is unknown, or a
            ``ScaleAttentionHead`` for another number of scales or classes, another resizing, or beside a head with a
            ``loss`` of its own.
    """

    def __init__(
        self,
        *args,
        scales: float | Sequence[float] = (1.0, 0.75, 0.5),
        fusion: str | dict = 'max',
        extra_supervision: bool = True,
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.scales = check_scales(scales)
        self.fusion = build_fusion(fusion)
        self.attends = isinstance(self.fusion, ScaleAttentionHead)
        if self.attends:
            self._check_attention()
        # a plain network on one scale: its fused map is that of the scale
        self.extra_supervision = extra_supervision and (self.attends or len(self.scales) > 1)

    def features_at(self, inputs: Tensor, index: int) -> Sequence[Tensor]:
        """The backbone's (and neck's) feature maps of the image at scale number ``index``."""
        return self.extract_feat(rescale(inputs, self.scales[index], self.align_corners))

    def fuse(self, outputs: Sequence, seen: Sequence = ()):
        """Fuses what the head gave for each scale: tensors, or tuples of tensors.

        Args:
            outputs: One a scale.
            seen: What a ``ScaleAttentionHead`` keeps of the features of each scale.
        """
        fusion = (
            partial(self.fusion.fuse, maps=self.fusion(seen))
            if self.attends
            else at_largest(self.fusion, self.align_corners)
        )
        return fuse_scores(outputs, fusion)

    def score_maps(self, inputs: Tensor):
        """The fused scores before they are resized to the image: of every branch, if the head has several."""
        return self._fused(inputs, getattr(self.decode_head, 'forward_branches', self.decode_head.forward))

    def attention_maps(self, inputs: Tensor) -> AttentionMaps:
        """The location attention and the recalibration of images [B, 3, H, W].

        Raises:
            ConfigError: ``fusion`` is no ``ScaleAttentionHead``.
        """
        if not self.attends:
            raise ConfigError('only a fusion of type mmrev.ScaleAttentionHead has attention maps')
        return self.fusion([self._seen(self.features_at(inputs, index), index) for index in range(len(self.scales))])

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        head, losses, outputs, seen = self.decode_head, {}, [], []
        branches = getattr(head, 'forward_branches', None)
        own_loss = branches is None and type(head).loss is not BaseDecodeHead.loss
        for index, scale in enumerate(self.scales):
            features, at_scale = self.features_at(inputs, index), {}
            if own_loss:
                at_scale |= self._decode_head_forward_train(features, data_samples)
            else:
                outputs.append((branches or head.forward)(features))
                seen.append(self._seen(features, index))
                if self.extra_supervision:
                    at_scale |= add_prefix(head.loss_by_feat(outputs[-1], data_samples), 'decode')
            if self.with_auxiliary_head:
                at_scale |= self._auxiliary_head_forward_train(features, data_samples)
            losses |= at_scale if len(self.scales) == 1 and not self.attends else _name_scale(at_scale, scale)
        if outputs:
            losses |= add_prefix(head.loss_by_feat(self.fuse(outputs, seen), data_samples), 'decode')
        return losses

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        head = self.decode_head
        if type(head).predict is not BaseDecodeHead.predict:
            return self._fused(inputs, lambda features: head.predict(features, batch_img_metas, self.test_cfg))
        return head.predict_by_feat(self._forward(inputs), batch_img_metas)

    def _forward(self, inputs: Tensor, data_samples: OptSampleList = None) -> Tensor:
        return self._fused(inputs, self.decode_head)

    def _fused(self, inputs: Tensor, score: Callable[[Sequence[Tensor]], Any]):
        # a function a scale: its feature maps are gone before the next scale's are there
        def run(index: int) -> tuple[Any, Any]:
            features = self.features_at(inputs, index)
            return score(features), self._seen(features, index)

        return self.fuse(*zip(*map(run, range(len(self.scales))), strict=True))

    def _seen(self, features: Sequence[Tensor], index: int) -> tuple[Tensor, ...] | None:
        return self.fusion.scale_features(features, index) if self.attends else None

    def _check_attention(self) -> None:
        head, fusion = self.decode_head, self.fusion
        if type(head).loss is not BaseDecodeHead.loss and not hasattr(head, 'forward_branches'):
            raise ConfigError(
                f'{type(head).__name__} has a loss of its own, of each scale alone: ScaleAttentionHead '
                "would not learn. Use another decode head, or fusion='avg'"
            )
        if fusion.num_scales != len(self.scales):
            raise ConfigError(
                f'ScaleAttentionHead has {fusion.num_scales} dilations, for as many scales, but '
                f'scales={self.scales}: give one dilation a scale, in their order'
            )
        if fusion.align_corners != self.align_corners:
            raise ConfigError(
                f'align_corners is {self.align_corners} in the decode head and {fusion.align_corners} in '
                'ScaleAttentionHead: give both the same'
            )
        if fusion.recalibration and fusion.num_classes != self.out_channels:
            raise ConfigError(
                f'ScaleAttentionHead recalibrates num_classes={fusion.num_classes} score maps, the '
                f'decode head gives {self.out_channels}: give both the same number'
            )

    def predict(self, inputs: Tensor, data_samples: OptSampleList = None) -> SampleList:
        results = super().predict(inputs, data_samples)
        crf = self.test_cfg.get('crf')
        if crf is None or crf is False:
            return results
        return refine_with_crf(results, inputs, self.data_preprocessor, **({} if crf is True else crf))


def check_scales(scales: float | Sequence[float]) -> tuple[float, ...]:
    """The scales as a tuple; ConfigError unless they are different factors above 0."""
    given = tuple(scales) if isinstance(scales, Sequence) else (scales,)
    if (
        not given
        or len(set(given)) < len(given)
        or not all(isinstance(scale, (int, float)) and 0 < scale < inf for scale in given)
    ):
        raise ConfigError(f'scales={scales!r}: expected different factors above 0, such as (1.0, 0.75, 0.5)')
    return tuple(map(float, given))


def rescale(images: Tensor, scale: float, align_corners: bool) -> Tensor:
    """Resizes images [B, 3, H, W] by a factor, at least to one pixel.

    With aligned corners, (H - 1) * scale + 1 pixels keep the corners of all scales' feature maps on each other, as in
    DeepLab (321 -> 241 and 161); without, H * scale, rounded down as everywhere in torch.
    """
    if scale == 1:
        return images
    edge = int(align_corners)
    size = [max(1, int((length - edge) * scale) + edge) for length in images.shape[2:]]
    return resize(images, size=size, mode='bilinear', align_corners=align_corners, warning=False)


def _name_scale(losses: dict[str, Tensor], scale: float) -> dict[str, Tensor]:
    """``decode.loss_ce`` -> ``decode.scale_0.5.loss_ce``; what is no loss (accuracies) is left to the fused maps."""
    parts = ((name.split('.', 1), value) for name, value in losses.items() if 'loss' in name)
    return {f'{head}.scale_{scale:g}.{rest}': value for (head, rest), value in parts}
