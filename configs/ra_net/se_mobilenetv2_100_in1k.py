"""SE-MobileNetV2 1.0x (squeeze-and-excitation) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_mobilenetv2_100_in1k.py

Paper: top-1 72.1, top-5 90.8; 3.516 M parameters, 327.5 MFLOPs (table 3).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = './mobilenetv2_100_in1k.py'
model = dict(backbone=dict(type='mmrev.SEMobileNetV2'))
