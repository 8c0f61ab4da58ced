"""Faster R-CNN on CBAM-ResNet-50 on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/faster_rcnn_cbam_r50_fpn_coco.py

Paper: params M 48.59, GFLOPs 207.10, box AP 38.8, AP50 60.0, APs 23.3, APm 42.9, APl 49.2 (table 4).
The backbone starts from configs/ra_net/cbam_resnet50_in1k.py, which must be trained first.
"""
_base_ = './faster_rcnn_r50_fpn_coco.py'
model = dict(backbone=dict(type='mmrev.CBAMResNet',
                           init_cfg=dict(checkpoint='work_dirs/cbam_resnet50_in1k/epoch_100.pth')))
