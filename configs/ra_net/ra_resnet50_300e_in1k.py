"""RA-ResNet-50 on ImageNet-1K: 300 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet50_300e_in1k.py

Paper: top-1 78.5 (table 10).
"""
_base_ = './ra_resnet50_in1k.py'
max_epochs = 300
param_scheduler = dict(milestones=[90, 180, 270])
train_cfg = dict(max_epochs=max_epochs)
