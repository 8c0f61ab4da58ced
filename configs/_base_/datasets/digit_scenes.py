num_classes = 11
crop_size = (128, 128)
dataset = dict(type='mmrev.DigitScenesDataset', data_root='demo_output/data')
# There are ten photographs to train on: any hue, and negatives, make more of them. There is no mirroring, because a
# mirrored digit is no digit.
train_dataloader = dict(
    batch_size=8, num_workers=0, persistent_workers=False, sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(**dataset, data_prefix=dict(img_path='images/train', seg_map_path='annotations/train'), pipeline=[
        dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
        dict(type='mmrev.CheckLabels', num_classes=num_classes),
        dict(type='PhotoMetricDistortion', hue_delta=90), dict(type='mmpretrain.Invert', prob=0.5),
        dict(type='PackSegInputs')]))
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]
val_dataloader = dict(
    batch_size=8, num_workers=0, persistent_workers=False, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, data_prefix=dict(img_path='images/val', seg_map_path='annotations/val'),
                 pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
