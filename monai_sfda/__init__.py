"""Source-free domain adaptation of medical image segmentation, as MONAI bundles and Ignite engines."""

__version__ = "0.1.0"
