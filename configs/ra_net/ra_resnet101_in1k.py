"""RA-ResNet-101 (reverse attention) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet101_in1k.py

Paper: params M 44.58, GFLOPs 7.866, top-1 79.1, top-5 94.3 (table 2).
"""
_base_ = './resnet101_in1k.py'
model = dict(backbone=dict(type='mmrev.RAResNet'))
custom_hooks = [*_base_.custom_hooks, dict(type='mmrev.TemperatureAnnealingHook')]
