_base_ = './deeplabv2_pipelines.py'
num_classes = 11
load = [*_base_.load, dict(type='mmrev.CheckLabels', num_classes=num_classes)]
dataset = dict(type='mmrev.CamVidDataset', data_root='data/CamVid')
train_dataloader = dict(**_base_.train_loader, dataset=dict(
    **dataset, data_prefix=dict(img_path='images/train', seg_map_path='annotations/train'),
    pipeline=[*load, *_base_.augment, *_base_.pack]))
val_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, data_prefix=dict(img_path='images/val', seg_map_path='annotations/val'),
    pipeline=_base_.test_pipeline))
test_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, data_prefix=dict(img_path='images/test', seg_map_path='annotations/test'),
    pipeline=_base_.test_pipeline))
