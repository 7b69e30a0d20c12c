"""What a deployment costs a month, from a dated file of prices."""
