"""Recipes side by side on one data set: `make compare`.

Each variant is trained in dataset groups of the comparison's own, which are removed whatever happens; the
live colour and its data are only read. What comes out is a table of offline metrics with time and an
estimate of the cost, and each variant's lists for a fixed sample of customers, saved as one JSON file.
"""
