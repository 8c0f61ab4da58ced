"""An image classifier of Hugging Face with RA-Net's gates, fine-tuned by its Trainer.

pip install transformers accelerate && python examples/transformers_ra_net.py [name or folder of a checkpoint]
"""

import sys
import tempfile

import torch
from toy import accuracy, squares
from transformers import AutoModelForImageClassification, ConvNextConfig, Trainer, TrainingArguments

from mmrev.models import add_reverse_attention

torch.manual_seed(0)
if sys.argv[1:]:
    model = AutoModelForImageClassification.from_pretrained(sys.argv[1], num_labels=2, ignore_mismatched_sizes=True)
else:
    config = ConvNextConfig(hidden_sizes=[8, 16, 32, 64], depths=[1, 1, 2, 1], num_labels=2, layer_scale_init_value=1.0)
    model = AutoModelForImageClassification.from_config(config)


def samples(count):
    images, labels = squares(count)
    return [{'pixel_values': image, 'labels': label.max() - 1} for image, label in zip(images, labels, strict=True)]


def logits(images):
    with torch.no_grad():
        return model.eval()(pixel_values=images).logits


images, labels = squares(32)
before = logits(images)
add_reverse_attention(model)  # after the weights were loaded
print('the gates change the output before the training:', not torch.equal(logits(images), before))
with tempfile.TemporaryDirectory() as folder:
    options = TrainingArguments(
        folder,
        max_steps=25,
        per_device_train_batch_size=16,
        learning_rate=3e-3,
        report_to=[],
        use_cpu=True,
        save_strategy='no',
        disable_tqdm=True,
    )
    Trainer(model=model, args=options, train_dataset=samples(128)).train()
gammas = [value for name, value in model.named_parameters() if name.endswith('gamma')]
print(
    f'right on new pictures: {accuracy(logits(images), labels.amax((1, 2)) - 1)}; '
    f'{len(gammas)} gates, mean |gamma| {torch.cat(gammas).abs().mean():.4f}'
)
