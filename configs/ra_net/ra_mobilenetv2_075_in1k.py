"""RA-MobileNetV2 0.75x (reverse attention) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_mobilenetv2_075_in1k.py

Paper: top-1 70.4, top-5 89.5; 2.636 M parameters, 232.5 MFLOPs (table 3).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = './mobilenetv2_075_in1k.py'
model = dict(backbone=dict(type='mmrev.RAMobileNetV2'))
custom_hooks = [*_base_.custom_hooks, dict(type='mmrev.TemperatureAnnealingHook')]
