"""Faster R-CNN on RA-ResNet-50 (reverse attention) on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/faster_rcnn_ra_r50_fpn_coco.py

Paper: params M 43.59, GFLOPs 207.07, box AP 39.2, AP50 60.4, APs 23.5, APm 43.1, APl 49.6 (table 4).
The backbone starts from configs/ra_net/ra_resnet50_in1k.py, which must be trained first.
"""
_base_ = './faster_rcnn_r50_fpn_coco.py'
model = dict(backbone=dict(type='mmrev.RAResNet',
                           init_cfg=dict(checkpoint='work_dirs/ra_resnet50_in1k/epoch_100.pth')))
