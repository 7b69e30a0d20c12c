"""What the commands of this project have in common, whatever they do."""
