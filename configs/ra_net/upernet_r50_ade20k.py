"""UPerNet on ResNet-50 (the baseline) on ADE20K: 80,000 iterations of 16 images at 512 x 512.

    python tools/train.py configs/ra_net/upernet_r50_ade20k.py

Paper: mIoU 40.7 (table 5).
The backbone starts from configs/ra_net/resnet50_in1k.py, which must be trained first.
mmsegmentation reaches the printed 40.7 with a stem of three 3x3 convolutions (ResNetV1c).
"""
_base_ = ['../_base_/models/upernet_r50.py', '../_base_/datasets/ade20k_512.py', '../_base_/schedules/poly_80k.py',
          '../_base_/default_runtime.py']
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='work_dirs/resnet50_in1k/epoch_100.pth', prefix='backbone.')))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4))
param_scheduler = [dict(type='PolyLR', eta_min=1e-4, power=0.9, begin=0, end=_base_.max_iters, by_epoch=False)]
