from .add_reverse_attention import add_reverse_attention
from .attention_backbones import CBAMMobileNetV2, CBAMResNet, RAMobileNetV2, RAResNet, SEMobileNetV2, SEResNet

__all__ = ['CBAMMobileNetV2', 'CBAMResNet', 'RAMobileNetV2', 'RAResNet', 'SEMobileNetV2', 'SEResNet',
           'add_reverse_attention']
