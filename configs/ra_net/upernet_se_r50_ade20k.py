"""UPerNet on SE-ResNet-50 (squeeze-and-excitation), on ADE20K: 80,000 iterations of 16 images at 512 x 512.

    python tools/train.py configs/ra_net/upernet_se_r50_ade20k.py

Paper: mIoU 40.8 (table 5).
Starts from the backbone of configs/ra_net/se_resnet50_in1k.py, trained before, or of another file with --cfg-options
model.backbone.init_cfg.checkpoint=<file> (docs/ra_net.md).
Assumed: mmsegmentation's 80k schedule.
"""
_base_ = './upernet_r50_ade20k.py'
model = dict(backbone=dict(type='mmrev.SEResNet',
                           init_cfg=dict(checkpoint='work_dirs/se_resnet50_in1k/epoch_100.pth')))
