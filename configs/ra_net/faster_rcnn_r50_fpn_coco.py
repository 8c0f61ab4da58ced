"""Faster R-CNN on ResNet-50, the baseline, on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/faster_rcnn_r50_fpn_coco.py

Paper: box AP 37.3 (AP50 58.0, APs 21.0, APm 41.0, APl 48.3); 43.58 M parameters, 207.07 GFLOPs (table 4).
Starts from the backbone of configs/ra_net/resnet50_in1k.py, trained before, or of another file with --cfg-options
model.backbone.init_cfg.checkpoint=<file> (docs/ra_net.md).
Assumed: train2017 and val2017 for the paper's trainval35k and minival; mmdetection's 1x schedule.
"""
_base_ = ['mmdet::_base_/models/faster-rcnn_r50_fpn.py', 'mmdet::_base_/datasets/coco_detection.py',
          'mmdet::_base_/schedules/schedule_1x.py', '../_base_/runtime_mmdet.py']
model = dict(backbone=dict(
    init_cfg=dict(type='Pretrained', checkpoint='work_dirs/resnet50_in1k/epoch_100.pth', prefix='backbone.')))
train_dataloader = dict(batch_size=16, num_workers=8)
