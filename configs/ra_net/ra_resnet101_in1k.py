"""RA-ResNet-101 (reverse attention) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet101_in1k.py

Paper: top-1 79.1, top-5 94.3; 44.58 M parameters, 7.866 GFLOPs (table 2).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = './resnet101_in1k.py'
model = dict(backbone=dict(type='mmrev.RAResNet'))
custom_hooks = [*_base_.custom_hooks, dict(type='mmrev.TemperatureAnnealingHook')]
