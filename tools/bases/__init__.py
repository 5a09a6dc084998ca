"""Generates the healthy base clusters in bot/bundle/bases from a few descriptions; see tools/make_bases.py."""
