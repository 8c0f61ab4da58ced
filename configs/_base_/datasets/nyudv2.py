_base_ = './deeplabv2_pipelines.py'
num_classes = 40
load = [*_base_.load, dict(type='mmrev.CheckLabels', num_classes=num_classes)]
dataset = dict(type='mmrev.NYUDv2Dataset', data_root='data/NYUDv2',
               data_prefix=dict(img_path='images', seg_map_path='annotations'))
train_dataloader = dict(**_base_.train_loader, dataset=dict(
    **dataset, ann_file='train.txt', pipeline=[*load, *_base_.augment, *_base_.pack]))
val_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, ann_file='test.txt', pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
