"""`tf`: runs terraform in the user's terminal and has the run reported."""
