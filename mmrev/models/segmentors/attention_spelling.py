"""The two spellings of scale attention in a config. Both build the same model.

As a fusion, beside the decode head::

    scales=(1.0, 0.5), decode_head=dict(type='FCNHead', ...), fusion=dict(type='mmrev.ScaleAttentionHead', ...)

As the decode head, around the head whose scores it fuses::

    decode_head=dict(type='mmrev.ScaleAttentionHead', head=dict(type='FCNHead', ...), scales=(1.0, 0.5), ...)
"""

from typing import Any

from mmrev.errors import ConfigError
from mmrev.hosts import inner_head

from ..decode_heads.scale_attention_head import ScaleAttentionHead
from .scales import check_scales

NAME = 'mmrev.ScaleAttentionHead'
NOT_GIVEN: Any = object()  # None is a wrong value of both arguments, and says so


def spell_as_fusion(decode_head: dict, scales: Any = NOT_GIVEN, fusion: Any = NOT_GIVEN) -> tuple[dict, Any, Any]:
    """Rewrites the second spelling into the first. Returns the arguments of the first as they are.

    Args:
        decode_head: The segmentor's argument of this name.
        scales: The segmentor's argument of this name.
        fusion: The segmentor's argument of this name.

    Returns:
        The three arguments in the first spelling. ``num_classes`` and ``align_corners`` of the attention are those of
        the inner head, unless they are given.

    Raises:
        ConfigError: The inner head is missing, or ``scales`` or ``fusion`` is given twice, with different values.

    Example:
        >>> inner = dict(type='FCNHead', in_channels=8, num_classes=3)
        >>> outer = dict(type='mmrev.ScaleAttentionHead', head=inner, scales=(1.0, 0.5), in_channels=[4, 8])
        >>> head, scales, fusion = spell_as_fusion(outer)
        >>> head is inner, scales, fusion['num_classes']
        (True, (1.0, 0.5), 3)
    """
    if decode_head.get('type') not in (NAME, 'ScaleAttentionHead', ScaleAttentionHead):
        return decode_head, scales, fusion
    options = dict(decode_head, type=NAME)
    head, own_scales = options.pop('head', None), options.pop('scales', scales)
    if head is None:
        raise ConfigError(
            'ScaleAttentionHead as the decode_head has no head: give it head=dict(...), whose scores it fuses'
        )
    if scales is not NOT_GIVEN and check_scales(scales) != check_scales(own_scales):
        raise ConfigError(
            f'scales={scales} of the model and scales={own_scales} of its ScaleAttentionHead: give them once'
        )
    scorer = inner_head(head)
    options.setdefault('num_classes', scorer.get('out_channels') or scorer.get('num_classes', 0))
    options.setdefault('align_corners', scorer.get('align_corners', False))
    if fusion is not NOT_GIVEN and fusion != options:
        raise ConfigError(
            f'the decode_head ScaleAttentionHead is the fusion, and fusion={fusion!r} is another: delete one'
        )
    return head, own_scales, options
