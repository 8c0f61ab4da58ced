"""Mask R-CNN on RA-ResNet-50 (reverse attention) on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/mask_rcnn_ra_r50_fpn_coco.py

Paper: params M 46.23, GFLOPs 260.14, box AP 39.9, AP50 61.1, APs 24.1, APm 43.7, APl 50.9 (table 4); mask AP 36.2
(table 5).
The backbone starts from configs/ra_net/ra_resnet50_in1k.py, which must be trained first.
"""
_base_ = './mask_rcnn_r50_fpn_coco.py'
model = dict(backbone=dict(type='mmrev.RAResNet',
                           init_cfg=dict(checkpoint='work_dirs/ra_resnet50_in1k/epoch_100.pth')))
