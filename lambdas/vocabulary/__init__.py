"""The words that the functions, the constructs and the local cloud share.

Pure data and naming rules: nothing here calls AWS or reads the environment, so
that a template, a handler and a test can all mean the same thing by a name.
"""
