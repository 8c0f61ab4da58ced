"""Mask R-CNN on CBAM-ResNet-50 on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/mask_rcnn_cbam_r50_fpn_coco.py

Paper: params M 51.23, GFLOPs 260.17, box AP 39.6, AP50 60.4, APs 23.5, APm 43.5, APl 50.4 (table 4); mask AP 35.7
(table 5).
The backbone starts from configs/ra_net/cbam_resnet50_in1k.py, which must be trained first.
"""
_base_ = './mask_rcnn_r50_fpn_coco.py'
model = dict(backbone=dict(type='mmrev.CBAMResNet',
                           init_cfg=dict(checkpoint='work_dirs/cbam_resnet50_in1k/epoch_100.pth')))
