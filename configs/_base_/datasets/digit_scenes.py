num_classes = 11
crop_size = (128, 128)
dataset = dict(type='mmrev.DigitScenesDataset', data_root='demo_output/data')
# The network's output stride is 4. Labels of half the size cost a quarter of the time in each loss, and lose little.
shrink_labels = dict(
    type='KeyMapper', mapping=dict(gt_seg_map='gt_seg_map', seg_fields='seg_fields'), auto_remap=True,
    transforms=[dict(type='Resize', scale=(crop_size[1] // 2, crop_size[0] // 2), keep_ratio=False)])
# There is no mirroring, because a mirrored digit is no digit.
train_dataloader = dict(
    batch_size=8, num_workers=0, persistent_workers=False, sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(**dataset, data_prefix=dict(img_path='images/train', seg_map_path='annotations/train'), pipeline=[
        dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
        dict(type='mmrev.CheckLabels', num_classes=num_classes),
        dict(type='PhotoMetricDistortion'), shrink_labels,
        dict(type='PackSegInputs')]))
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]
val_dataloader = dict(
    batch_size=8, num_workers=0, persistent_workers=False, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, data_prefix=dict(img_path='images/val', seg_map_path='annotations/val'),
                 pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
