"""Code for single organs; only the configs of a bundle refer to these packages."""
