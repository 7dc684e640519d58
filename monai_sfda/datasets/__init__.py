"""Turn official downloads of public datasets into one layout."""
