"""RA-ResNet-18 (reverse attention) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet18_in1k.py

Paper: top-1 71.2, top-5 90.1; 11.69 M parameters, 1.824 GFLOPs (tables 2, 6, 7, 8 and 9).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = './resnet18_in1k.py'
model = dict(backbone=dict(type='mmrev.RAResNet'))
custom_hooks = [*_base_.custom_hooks, dict(type='mmrev.TemperatureAnnealingHook')]
