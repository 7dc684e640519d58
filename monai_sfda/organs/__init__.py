"""What is known of single organs; only the configs of a bundle name these rooms."""
