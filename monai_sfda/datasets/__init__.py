"""From official downloads of public datasets to one layout."""
