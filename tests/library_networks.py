"""Networks of torchvision, timm and Hugging Face's transformers, small or as they are, for tests of gates."""

from importlib.util import find_spec

import pytest
import torch
import torchvision.models as tv
from torch import nn

from mmrev.models import add_reverse_attention
from mmrev.models.layers import ModifiedGRN

SIZE = 32


def timm(name, **options):
    return __import__('timm').create_model(name, **options)


def hugging_face(kind, **options):
    hf = __import__('transformers')
    config = getattr(hf, f'{kind}Config')(image_size=SIZE, num_labels=3, **options)
    return Logits(getattr(hf, f'{kind}ForImageClassification')(config))


class Logits(nn.Module):
    """A classifier that returns a tensor."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x).logits


SMALL = dict(hidden_sizes=[8, 16], depths=[1, 2])
TOKENS = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, patch_size=8)
WINDOWS = dict(embed_dim=8, depths=[2, 2], num_heads=[1, 2], window_size=4)
# the network, and the number of its gates
NETWORKS = {
    'torchvision resnet18': (tv.resnet18, 8),
    'torchvision resnet50': (tv.resnet50, 16),
    'torchvision resnext50': (tv.resnext50_32x4d, 16),
    'torchvision wide resnet50': (tv.wide_resnet50_2, 16),
    'torchvision mobilenet': (tv.mobilenet_v2, 10),
    'torchvision convnext': (tv.convnext_tiny, 18),
    'torchvision vit': (lambda: tv.VisionTransformer(SIZE, 8, 2, 2, 16, 32), 4),
    'torchvision swin': (lambda: tv.SwinTransformer([4, 4], 8, [2, 2], [1, 2], [4, 4]), 8),
    'torchvision swin v2': (
        lambda: tv.SwinTransformer(
            [4, 4],
            8,
            [2, 2],
            [1, 2],
            [4, 4],
            block=tv.swin_transformer.SwinTransformerBlockV2,
            downsample_layer=tv.swin_transformer.PatchMergingV2,
        ),
        8,
    ),
    'timm resnet18': (lambda: timm('resnet18', zero_init_last=False), 8),
    'timm resnet50': (lambda: timm('seresnet50', zero_init_last=False, drop_path_rate=0.1), 16),
    'timm mobilenet': (lambda: timm('mobilenetv2_050'), 10),
    'timm convnext': (lambda: timm('convnext_atto'), 12),
    'timm vit': (lambda: timm('vit_tiny_patch16_224', img_size=SIZE, depth=2), 4),
    'timm swin': (lambda: timm('swin_tiny_patch4_window7_224', img_size=SIZE, window_size=4, depths=(2, 2)), 8),
    'timm swin v2': (lambda: timm('swinv2_tiny_window8_256', img_size=SIZE, window_size=4, depths=(2, 2)), 8),
    'transformers resnet': (lambda: hugging_face('ResNet', embedding_size=8, **SMALL), 3),
    'transformers resnet basic': (lambda: hugging_face('ResNet', embedding_size=8, layer_type='basic', **SMALL), 3),
    'transformers convnext': (lambda: hugging_face('ConvNext', num_stages=2, **SMALL), 3),
    'transformers vit': (lambda: hugging_face('ViT', **TOKENS), 4),
    'transformers swin': (lambda: hugging_face('Swin', **WINDOWS), 8),
}


def library(name):
    needed = name.partition(' ')[0]
    absent = pytest.mark.skipif(not find_spec(needed), reason=f'{needed} is not installed: make test-plain installs it')
    return pytest.param(name, marks=absent, id=name.replace(' ', '-'))


every_network = pytest.mark.parametrize('name', list(map(library, NETWORKS)))
one_of_each_kind = pytest.mark.parametrize(
    'name',
    [
        library(name)
        for name in (
            'torchvision resnet18',
            'torchvision mobilenet',
            'torchvision swin',
            'torchvision vit',
            'timm resnet18',
            'timm swin v2',
            'transformers resnet',
            'transformers vit',
        )
    ],
)


def gates(network):
    return [module for module in network.modules() if isinstance(module, ModifiedGRN)]


def build(name):
    network = NETWORKS[name][0]().eval()
    for parameter in network.parameters():
        if not parameter.any():  # some start at 0, and would hide what comes before them
            nn.init.normal_(parameter, std=0.1)
        elif parameter.dim() == 1 and parameter.abs().max() < 1e-3:  # a layer scale
            nn.init.normal_(parameter, std=0.5)
    return network


def awake(name):
    network = add_reverse_attention(build(name))
    for gate in gates(network):
        nn.init.normal_(gate.gamma, std=0.3)
    return network


def images(batch=2):
    return torch.randn(batch, 3, SIZE, SIZE)
