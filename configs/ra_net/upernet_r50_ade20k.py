"""UPerNet on ResNet-50, the baseline, on ADE20K: 80,000 iterations of 16 images at 512 x 512.

    python tools/train.py configs/ra_net/upernet_r50_ade20k.py

Paper: mIoU 40.7 (table 5).
Starts from the backbone of configs/ra_net/resnet50_in1k.py, trained before, or of another file with --cfg-options
model.backbone.init_cfg.checkpoint=<file> (docs/ra_net.md).
Assumed: mmsegmentation's 80k schedule. The printed 40.7 is the figure that mmsegmentation gives for a stem of three
3x3 convolutions (ResNetV1c).
"""
_base_ = ['../_base_/models/upernet_r50.py', '../_base_/datasets/ade20k_512.py',
          '../_base_/schedules/sgd_80k.py', '../_base_/default_runtime.py']
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='work_dirs/resnet50_in1k/epoch_100.pth', prefix='backbone.')))
