"""Faster R-CNN on RA-ResNet-50 (reverse attention), on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/faster_rcnn_ra_r50_fpn_coco.py

Paper: box AP 39.2 (AP50 60.4, APs 23.5, APm 43.1, APl 49.6); 43.59 M parameters, 207.07 GFLOPs (table 4).
Starts from the backbone of configs/ra_net/ra_resnet50_in1k.py, trained before, or of another file with --cfg-options
model.backbone.init_cfg.checkpoint=<file> (docs/ra_net.md).
Assumed: train2017 and val2017 for the paper's trainval35k and minival; mmdetection's 1x schedule.
"""
_base_ = './faster_rcnn_r50_fpn_coco.py'
model = dict(backbone=dict(type='mmrev.RAResNet',
                           init_cfg=dict(checkpoint='work_dirs/ra_resnet50_in1k/epoch_100.pth')))
