"""SE-MobileNetV2 0.5x (squeeze-and-excitation) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_mobilenetv2_050_in1k.py

Paper: top-1 65.1, top-5 85.7; 1.972 M parameters, 111.7 MFLOPs (table 3).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = './mobilenetv2_050_in1k.py'
model = dict(backbone=dict(type='mmrev.SEMobileNetV2'))
