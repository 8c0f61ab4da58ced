"""RA-ResNet-50 (reverse attention) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet50_in1k.py

Paper: top-1 77.6, top-5 93.8; 25.56 M parameters, 4.134 GFLOPs (tables 2, 9 and 10).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = './resnet50_in1k.py'
model = dict(backbone=dict(type='mmrev.RAResNet'))
custom_hooks = [*_base_.custom_hooks, dict(type='mmrev.TemperatureAnnealingHook')]
