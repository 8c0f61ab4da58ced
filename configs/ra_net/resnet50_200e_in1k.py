"""ResNet-50 on ImageNet-1K: 200 epochs of 256 images a step.

    python tools/train.py configs/ra_net/resnet50_200e_in1k.py

Paper: top-1 76.9 (table 10).
"""
_base_ = './resnet50_in1k.py'
max_epochs = 200
param_scheduler = dict(milestones=[60, 120, 180])
train_cfg = dict(max_epochs=max_epochs)
