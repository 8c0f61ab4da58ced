"""Export of trained models to ONNX and to the archives of torch.export, with what a user of the file needs."""

from .exporting import Exported, export_model

__all__ = ['Exported', 'export_model']
