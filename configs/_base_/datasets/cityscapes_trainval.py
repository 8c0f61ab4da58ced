# RANet's table 5: training on train and val, prediction for the test server. No data is left to validate on.
_base_ = './ranet_pipelines.py'
num_classes = 19
crop_size = (769, 769)
train_pipeline = [*_base_.load, dict(type='mmrev.CheckLabels', num_classes=num_classes), *_base_.scale,
                  dict(type='RandomCrop', crop_size=crop_size), *_base_.after_crop]
dataset = dict(type='CityscapesDataset', data_root='data/cityscapes')
fine_train = dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train')
fine_val = dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val')
train_dataloader = dict(**_base_.train_loader, dataset=dict(type='ConcatDataset', datasets=[
    dict(**dataset, data_prefix=part, pipeline=train_pipeline) for part in (fine_train, fine_val)]))
val_dataloader = val_evaluator = None
test_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, data_prefix=dict(img_path='leftImg8bit/test'),
    pipeline=[dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]))
test_evaluator = dict(_delete_=True, type='CityscapesMetric', format_only=True, keep_results=True)
