"""What the experiment shows: exposures joined to what users did afterwards, read at a stated horizon."""
