"""RA-MobileNetV2 0.5x (reverse attention) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_mobilenetv2_050_in1k.py

Paper: top-1 65.8, top-5 86.5; 1.969 M parameters, 111.7 MFLOPs (table 3).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = './mobilenetv2_050_in1k.py'
model = dict(backbone=dict(type='mmrev.RAMobileNetV2'))
custom_hooks = [*_base_.custom_hooks, dict(type='mmrev.TemperatureAnnealingHook')]
