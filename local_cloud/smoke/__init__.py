"""What a deployment is asked after it was deployed, on AWS as in the local cloud: `make smoke ENV=dev`."""
