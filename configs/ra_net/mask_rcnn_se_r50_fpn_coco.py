"""Mask R-CNN on SE-ResNet-50 (squeeze-and-excitation) on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/mask_rcnn_se_r50_fpn_coco.py

Paper: params M 48.73, GFLOPs 260.14, box AP 39.6, AP50 60.7, APs 23.0, APm 43.6, APl 51.9 (table 4); mask AP 35.7
(table 5).
The backbone starts from configs/ra_net/se_resnet50_in1k.py, which must be trained first.
"""
_base_ = './mask_rcnn_r50_fpn_coco.py'
model = dict(backbone=dict(type='mmrev.SEResNet',
                           init_cfg=dict(checkpoint='work_dirs/se_resnet50_in1k/epoch_100.pth')))
