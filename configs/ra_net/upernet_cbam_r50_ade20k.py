"""UPerNet on CBAM-ResNet-50 on ADE20K: 80,000 iterations of 16 images at 512 x 512.

    python tools/train.py configs/ra_net/upernet_cbam_r50_ade20k.py

Paper: mIoU 41.0 (table 5).
The backbone starts from configs/ra_net/cbam_resnet50_in1k.py, which must be trained first.
"""
_base_ = './upernet_r50_ade20k.py'
model = dict(backbone=dict(type='mmrev.CBAMResNet',
                           init_cfg=dict(checkpoint='work_dirs/cbam_resnet50_in1k/epoch_100.pth')))
