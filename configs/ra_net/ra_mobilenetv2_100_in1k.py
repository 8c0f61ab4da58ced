"""RA-MobileNetV2 1.0x (reverse attention) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_mobilenetv2_100_in1k.py

Paper: top-1 72.5, top-5 90.9; 3.505 M parameters, 327.5 MFLOPs (tables 3, 9 and 10).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = './mobilenetv2_100_in1k.py'
model = dict(backbone=dict(type='mmrev.RAMobileNetV2'))
custom_hooks = [*_base_.custom_hooks, dict(type='mmrev.TemperatureAnnealingHook')]
