"""Multi-scale inputs (MSC) around any backbone and decode head, as in DeepLabv2.

Shapes: B batch, N classes, h x w a score map, H x W the image, S scales.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from mmseg.models.segmentors import EncoderDecoder
from mmseg.utils import OptSampleList, SampleList, add_prefix
from torch import Tensor, nn

from mmrev.arguments import ObjectConfig
from mmrev.errors import ConfigError
from mmrev.registry import MODELS

from ..decode_heads.scale_attention_head import AttentionMaps
from .attention_spelling import NOT_GIVEN, spell_as_fusion
from .crf_refinement import refine_with_crf
from .fusion import Fusion, as_fusion, build_fusion, fuse_outputs, fused_in_testing, fused_in_training
from .scales import check_scales, name_scale, rescale


@MODELS.register_module()
class MultiScaleEncoderDecoder(EncoderDecoder):
    """Runs one network on the image at several scales and fuses the scores, in training and in testing.

    The score maps of all scales are resized to the largest, then fused. Each scale has the losses of the decode head
    (``decode.scale_0.5.*``). The fused scores have them too (``decode.*``). With one scale this is mmseg's
    ``EncoderDecoder``. The order of the scales does not matter to ``'max'`` and ``'avg'``.

    Any decode head can stand here:

    * The output of ``forward``, a tensor or a (named) tuple of tensors, is fused before ``loss_by_feat`` and
      ``predict_by_feat``.
    * If the head has a ``forward_branches``, each of its branches is fused in training.
    * If the head has its own ``loss``, each scale has these losses, and the fused scores have none.
    * If the head has its own ``predict``, its scores at the size of the image are fused in testing.

    Scales run one after the other. Only what is fused is kept of each scale.

    Args:
        backbone: As in ``EncoderDecoder``.
        decode_head: As in ``EncoderDecoder``, or a ``mmrev.ScaleAttentionHead`` with an inner ``head``. It is then the
            fusion of that head, and may hold the ``scales``.
        scales: Factors of the image's height and width, each above 0. (1.0, 0.75, 0.5) by default.
        fusion: ``'max'`` (DeepLabv2, the default), ``'avg'``, or the config of a learned fusion:
            ``mmrev.ScaleAttentionHead``, or a module that takes a list of S maps [B, N, h, w], in the order of
            ``scales``, and returns one.
        extra_supervision: Whether each scale has losses.
        test_cfg: As in ``EncoderDecoder``. An entry ``crf`` holds the arguments of :func:`mmrev.evaluation.dense_crf`,
            which then refines every prediction. ``{}`` stands for its defaults, None or False for no CRF.
        kwargs: As in ``EncoderDecoder``.

    Shape:
        images [B, 3, H, W] -> fused scores [B, N, h, w].

    Raises:
        ConfigError: ``scales`` or ``fusion`` is wrong, one is given twice, or a ``ScaleAttentionHead`` or an entry of
            ``test_cfg`` does not fit the decode head and the scales.

    Example:
        >>> import torch
        >>> model = MultiScaleEncoderDecoder(
        ...     backbone=dict(type='ResNet', depth=18, base_channels=4),
        ...     decode_head=dict(type='mmrev.LargeFOVHead', in_channels=32, in_index=3, num_classes=5),
        ...     scales=(1.0, 0.5),
        ... )
        >>> model.eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 5, 2, 2])
    """

    def __init__(
        self,
        backbone: ObjectConfig,
        decode_head: ObjectConfig,
        *args,
        scales: float | Sequence[float] = NOT_GIVEN,
        fusion: str | ObjectConfig = NOT_GIVEN,
        extra_supervision: bool = True,
        **kwargs,
    ) -> None:
        decode_head, scales, fusion = spell_as_fusion(decode_head, scales, fusion)
        super().__init__(backbone, decode_head, *args, **kwargs)
        _check_output(self.test_cfg, self.decode_head)
        self.scales = check_scales((1.0, 0.75, 0.5) if scales is NOT_GIVEN else scales)
        self.fusion = build_fusion('max' if fusion is NOT_GIVEN else fusion)
        self._fusion.check(self.decode_head, self.scales, learns=fused_in_training(self.decode_head) != 'loss')
        self.extra_supervision = extra_supervision and not self._fused_is_the_only_scale

    @property
    def attends(self) -> bool:
        """Whether the fusion has attention maps."""
        return self._fusion.attends

    @property
    def _fusion(self) -> Fusion:
        # made on access: as an attribute it would hold a second reference to the module in ``fusion``
        return as_fusion(self.fusion, self.align_corners)

    @property
    def _fused_is_the_only_scale(self) -> bool:
        return len(self.scales) == 1 and not self.attends

    def features_at(self, inputs: Tensor, index: int) -> Sequence[Tensor]:
        """Returns the feature maps of the backbone (and neck) for the image at scale number ``index``."""
        return self.extract_feat(rescale(inputs, self.scales[index], self.align_corners))

    def fuse(self, outputs: Sequence, scale_features: Sequence = ()) -> Any:
        """Fuses the outputs of the decode head.

        Args:
            outputs: The output for each scale: a tensor, or a tuple of tensors.
            scale_features: The part of the features of each scale that the fusion keeps.
        """
        maps = self._fusion.attend(scale_features)
        return fuse_outputs(outputs, partial(self._fusion.fuse, maps=maps))

    def score_maps(self, inputs: Tensor) -> Any:
        """Returns the fused scores before they are resized to the image: of each branch, if the head has several."""
        method = fused_in_training(self.decode_head)
        return self._fused(inputs, getattr(self.decode_head, 'forward' if method == 'loss' else method))

    def attention_maps(self, inputs: Tensor) -> AttentionMaps:
        """Returns the location attention and the recalibration of images [B, 3, H, W].

        Raises:
            ConfigError: ``fusion`` is no ``ScaleAttentionHead``.
        """
        if not self.attends:
            raise ConfigError('only a fusion of type mmrev.ScaleAttentionHead has attention maps')
        kept = [self._fusion.scale_features(self.features_at(inputs, i), i) for i in range(len(self.scales))]
        return self._fusion.attend(kept)

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        method, outputs, kept = fused_in_training(self.decode_head), [], []
        losses: dict[str, Tensor] = {}
        for index, scale in enumerate(self.scales):
            features = self.features_at(inputs, index)
            at_scale: dict[str, Tensor] = {}
            if method == 'loss':
                at_scale |= self._decode_head_forward_train(features, data_samples)
            else:
                outputs.append(getattr(self.decode_head, method)(features))
                kept.append(self._fusion.scale_features(features, index))
                if self.extra_supervision:
                    at_scale |= self._losses_of(outputs[-1], data_samples)
            if self.with_auxiliary_head:
                at_scale |= self._auxiliary_head_forward_train(features, data_samples)
            losses |= at_scale if self._fused_is_the_only_scale else name_scale(at_scale, scale)
        if outputs:
            losses |= self._losses_of(self.fuse(outputs, kept), data_samples)
        return losses

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        head = self.decode_head
        if fused_in_testing(head) == 'predict':
            return self._fused(inputs, lambda features: head.predict(features, batch_img_metas, self.test_cfg))
        return head.predict_by_feat(self._forward(inputs), batch_img_metas)

    def predict(self, inputs: Tensor, data_samples: OptSampleList = None) -> SampleList:
        results = super().predict(inputs, data_samples)
        crf = self.test_cfg.get('crf')
        if crf is None or crf is False:
            return results
        return refine_with_crf(results, inputs, self.data_preprocessor, **({} if crf is True else crf))

    def _forward(self, inputs: Tensor, data_samples: OptSampleList = None) -> Tensor:
        return self._fused(inputs, self.decode_head)

    def _losses_of(self, outputs: Any, data_samples: SampleList) -> dict[str, Tensor]:
        return add_prefix(self.decode_head.loss_by_feat(outputs, data_samples), 'decode')

    def _fused(self, inputs: Tensor, score: Callable[[Sequence[Tensor]], Any]) -> Any:
        # a function, so that the feature maps of one scale are freed before the next scale runs
        def run(index: int) -> tuple[Any, Any]:
            features = self.features_at(inputs, index)
            return score(features), self._fusion.scale_features(features, index)

        results = [run(index) for index in range(len(self.scales))]
        return self.fuse([output for output, _ in results], [kept for _, kept in results])


def _check_output(test_cfg: dict | None, head: nn.Module) -> None:
    # another head would score its usual maps, and nobody would see it
    if (test_cfg or {}).get('output') == 'coarse' and not hasattr(head, 'regions'):
        raise ConfigError(
            "test_cfg.output='coarse' is the semantic score map of a RegionAttentionHead, and the decode head is a "
            f'{type(head).__name__}: delete it'
        )
