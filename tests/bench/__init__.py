"""`make bench`: how fast restoops is, beside what it is measured against, in one run."""
