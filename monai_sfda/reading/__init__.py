"""What the pixels of a file mean: pictures, TIFF, DICOM and NIfTI, each read to the same thing.

Imports nothing else of this package: the decoder runs as a process of its own, which has to start quickly.
"""
