"""RA-MobileNetV2 1.0x on ImageNet-1K: 300 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_mobilenetv2_100_300e_in1k.py

Paper: top-1 73.1 (table 10).
"""
_base_ = './ra_mobilenetv2_100_in1k.py'
max_epochs = 300
param_scheduler = dict(T_max=max_epochs, end=max_epochs)
train_cfg = dict(max_epochs=max_epochs)
