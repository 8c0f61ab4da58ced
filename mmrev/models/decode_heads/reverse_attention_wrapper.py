"""Reverse attention (RAN, Huang et al., BMVC 2017) around any decode head of mmsegmentation: our extension.

Shapes: B batch, M hidden channels of the head, N classes, h x w the last feature map of the head.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from mmengine.model import normal_init
from mmseg.models.decode_heads import DAHead, EncHead
from mmseg.models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.utils import ConfigType, SampleList
from torch import Tensor, nn

from mmrev.arguments import ObjectConfig
from mmrev.errors import ConfigError
from mmrev.registry import MODELS

from ..surgery.class_mixing import Mixin, mix_in
from .region_attention_head import RegionAttentionHead
from .reverse_attention_head import BranchScores, Mode, ReverseAttentionHead, branch_attention, combine

# The losses that these heads add to the one of their class scores are known not to depend on conv_seg.
WITH_MORE_LOSSES = (DAHead, EncHead, RegionAttentionHead)
NO_CLASSIFIER = (
    "it does not classify by one call of cls_seg, with its conv_seg, so use a head that does, such as 'UPerHead'"
)


@MODELS.register_module()
class ReverseAttentionWrapper(Mixin):
    """Gives a decode head of mmsegmentation a reverse branch, as in figure 3 of RAN.

    CONVorg is the head's own classifier ``conv_seg``. CONVrev is a second one of the same shape, ``conv_rev``. Both see
    the feature map that the head classifies, after its dropout. The rest is :class:`ReverseAttentionHead`: the
    attention, the three losses and their weights.

    The result is the head itself with one more layer: it keeps its class and the names of its weights. A checkpoint of
    the bare head lacks only ``conv_rev``. The new classifier starts near zero. So a model that is continued from a
    baseline starts with the baseline's predictions.

    The losses are ``combined.*`` with ``*`` the names of the head's own losses, and ``original.*`` and ``reverse.*``
    with the names of ``loss_decode``.

    Args:
        head: The config of the head. As a text it is the ``type`` of the head, and the arguments of the head stand
            beside it. So a config can wrap an inherited head with two new lines.
        mode: As in :class:`ReverseAttentionHead`.
        kwargs: Arguments of the head, if ``head`` is a text.

    Shape:
        feature maps of the backbone -> combined scores [B, N, h, w], in the place where the head returns its scores.

    Raises:
        ConfigError: The head is missing, or it cannot have a reverse branch: it has one already, does not use
            ``conv_seg``, or computes its losses in a way of its own.

    Example:
        >>> import torch
        >>> head = ReverseAttentionWrapper(dict(type='mmseg.FCNHead', in_channels=8, channels=4, num_classes=5))
        >>> head([torch.zeros(1, 8, 16, 16)]).shape, isinstance(head, BaseDecodeHead)
        (torch.Size([1, 5, 16, 16]), True)
    """

    fused_in_training = 'forward_branches'  # by MultiScaleEncoderDecoder
    conv_seg: nn.Module
    dropout: nn.Module | None
    made_of: tuple[type[Mixin], type[BaseDecodeHead]]

    def __init__(self, head: str | ObjectConfig | None = None, *, mode: Mode = 'simple', **kwargs: Any) -> None:
        kind, options = _class_and_options(head, kwargs)
        mix_in(self, type(self), kind)
        super().__init__(**options)
        if not isinstance(getattr(self, 'conv_seg', None), nn.Module):
            raise ConfigError(f'{kind.__name__} cannot have a reverse branch: {NO_CLASSIFIER}')
        # names that no head of mmseg has: NLHead has a mode, PSAHead an attention
        self.reverse_mode = mode
        self.conv_rev: nn.Module = deepcopy(self.conv_seg)
        for layer in self.conv_rev.modules():
            if isinstance(layer, nn.Conv2d):
                normal_init(layer, std=0.01)  # as ReverseAttentionHead
        self._branches_seen: list[tuple[Tensor, Tensor]] | None = None

    def reverse_attention(self, original: Tensor) -> Tensor:
        """Returns the weight of the reverse response, of the shape of ``original``. It is 1 in mode ``'dual'``.

        A subclass can return another one.
        """
        return branch_attention(original, self.reverse_mode)

    def cls_seg(self, feat: Tensor) -> Tensor:
        """Maps the feature map that the head classifies, [B, M, h, w], to the combined scores [B, N, h, w]."""
        if self.dropout is not None:
            feat = self.dropout(feat)
        original = self.conv_seg(feat)
        scores = combine(original, self.conv_rev(feat), self.reverse_attention(original))
        if self._branches_seen is not None:
            self._branches_seen.append((scores.original, scores.negated_reverse))
        return scores.combined

    def forward_branches(self, inputs: Sequence[Tensor]) -> BranchScores:
        """Returns the scores of all three branches, for the losses and for pictures.

        ``combined`` is all that the head returns. For some heads this is a tuple with the combined scores in front.
        """
        run = getattr(super(), 'forward_branches', None) or super().forward
        self._branches_seen = []
        try:
            output = run(inputs)
            seen = self._branches_seen
        finally:
            self._branches_seen = None  # or a copy of the model would hold this batch
        if len(seen) != 1:
            raise ConfigError(f'{self.made_of[1].__name__} cannot have a reverse branch: {NO_CLASSIFIER}')
        return BranchScores(output, *seen[0])

    def loss(
        self, inputs: Sequence[Tensor], batch_data_samples: SampleList, train_cfg: ConfigType
    ) -> dict[str, Tensor]:
        return self.loss_by_feat(self.forward_branches(inputs), batch_data_samples)

    def loss_by_feat(self, seg_logits: BranchScores, batch_data_samples: SampleList) -> dict[str, Tensor]:
        own = super().loss_by_feat(  # type: ignore[misc]  # the head's, in a mixed class
            seg_logits.combined, batch_data_samples
        )
        losses = {f'combined.{name}': value for name, value in own.items()}
        for branch, scores in (('original', seg_logits.original), ('reverse', seg_logits.negated_reverse)):
            for name, value in BaseDecodeHead.loss_by_feat(self, scores, batch_data_samples).items():
                if 'loss' in name:
                    losses[f'{branch}.{name}'] = value
        return losses


def _class_and_options(head: str | dict | None, options: dict) -> tuple[type[BaseDecodeHead], dict]:
    """Finds the class of the head, and the arguments of its constructor."""
    if isinstance(head, str):
        head = dict(options, type=head)
    elif options:
        raise ConfigError(
            f'ReverseAttentionWrapper got {", ".join(options)} beside head=dict(...): put them into the head, or give '
            "the head as its type alone, head='FCNHead'"
        )
    if head is None:
        raise ConfigError(
            "ReverseAttentionWrapper(head=None) wraps no head: give head=dict(type='FCNHead', ...), or "
            "head='FCNHead' with the head's arguments beside it"
        )
    options = {key: value for key, value in head.items() if key not in ('type', '_scope_')}
    kind = head['type']
    if isinstance(kind, str):
        with MODELS.switch_scope_and_registry(head.get('_scope_')) as registry:
            kind = registry.get(kind)
        if kind is None:
            raise ConfigError(
                f'ReverseAttentionWrapper: head {head["type"]!r} is not in the registry of models: check its spelling, '
                'or add custom_imports of its module'
            )
    _require_plain_head(kind)
    return kind, options


def _require_plain_head(kind: Any) -> None:
    if problem := _problem_of(kind):
        raise ConfigError(f'{getattr(kind, "__name__", kind)} cannot have a reverse branch: {problem}')


def _problem_of(kind: Any) -> str | None:
    """Says why a class cannot have a reverse branch, and what to do."""
    if kind in (ReverseAttentionHead, ReverseAttentionWrapper):
        return 'it has one already, so use it without the wrapper'
    if hasattr(kind, 'attend'):
        return 'it fuses scales, so put the wrapper into it, as its head'
    if not (isinstance(kind, type) and issubclass(kind, BaseDecodeHead)):
        return "it is no BaseDecodeHead of mmseg, so use a head that is one, such as 'UPerHead'"
    if issubclass(kind, BaseCascadeDecodeHead):
        return 'it refines the scores of another head, so wrap a head that stands alone'
    if _overrides(kind, 'loss', 'loss_by_feat') and not issubclass(kind, WITH_MORE_LOSSES):
        return "it has losses of its own, so use a head with those of mmseg's BaseDecodeHead, such as 'UPerHead'"
    if _overrides(kind, 'cls_seg'):
        return "it has a cls_seg of its own, so use a head with that of mmseg's BaseDecodeHead, such as 'UPerHead'"
    return None


def _overrides(kind: type, *methods: str) -> bool:
    return any(getattr(kind, method) is not getattr(BaseDecodeHead, method) for method in methods)
