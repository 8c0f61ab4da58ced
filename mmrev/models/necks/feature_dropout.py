from torch import Tensor, nn

from mmrev.registry import MODELS


@MODELS.register_module()
class FeatureDropout(nn.Dropout):
    """Dropout before a classifier: of each of the pooled features [B, C] that a neck of mmpretrain hands on."""

    def forward(self, features: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        if isinstance(features, tuple):
            return tuple(super(FeatureDropout, self).forward(feature) for feature in features)
        return super().forward(features)
