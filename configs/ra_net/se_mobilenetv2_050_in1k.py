"""SE-MobileNetV2 0.5x (squeeze-and-excitation) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_mobilenetv2_050_in1k.py

Paper: params M 1.972, MFLOPs 111.7, top-1 65.1, top-5 85.7 (table 3).
"""
_base_ = './mobilenetv2_100_in1k.py'
model = dict(backbone=dict(type='mmrev.SEMobileNetV2', widen_factor=0.5), neck=dict(p=0.))
