"""Collectors: one file an evidence family; each reads a source and parses at the edge."""
