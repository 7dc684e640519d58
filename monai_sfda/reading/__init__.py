"""Decode pictures, TIFF, DICOM and NIfTI to one common form.

Imports nothing else of this package: the decoder runs as a process of its own, which has to start quickly.
"""
