_base_ = './deeplabv2_pipelines.py'
num_classes = 150
load = [*_base_.load, dict(type='mmrev.CheckLabels', num_classes=num_classes)]
dataset = dict(type='ADE20KDataset', data_root='data/ade/ADEChallengeData2016')
train_dataloader = dict(**_base_.train_loader, dataset=dict(
    **dataset, data_prefix=dict(img_path='images/training', seg_map_path='annotations/training'),
    pipeline=[*load, *_base_.augment, *_base_.pack]))
# The longest images have more than 2,000 pixels. As everywhere in mmseg, the short side of a test image is 512.
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=(2048, 512), keep_ratio=True),
                 dict(type='LoadAnnotations'), *_base_.pack]
val_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, data_prefix=dict(img_path='images/validation', seg_map_path='annotations/validation'),
    pipeline=test_pipeline))
test_dataloader = val_dataloader
