"""Mask R-CNN on RA-ResNet-50 (reverse attention), on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/mask_rcnn_ra_r50_fpn_coco.py

Paper: box AP 39.9 (AP50 61.1, APs 24.1, APm 43.7, APl 50.9); 46.23 M parameters, 260.14 GFLOPs (table 4); mask AP
36.2 (table 5).
Starts from the backbone of configs/ra_net/ra_resnet50_in1k.py, trained before, or of another file with --cfg-options
model.backbone.init_cfg.checkpoint=<file> (docs/ra_net.md).
Assumed: train2017 and val2017 for the paper's trainval35k and minival; mmdetection's 1x schedule.
"""
_base_ = './mask_rcnn_r50_fpn_coco.py'
model = dict(backbone=dict(type='mmrev.RAResNet',
                           init_cfg=dict(checkpoint='work_dirs/ra_resnet50_in1k/epoch_100.pth')))
