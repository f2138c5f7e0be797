"""Whether tfevents keeps its promises here: with this terraform, on this machine, no cloud."""
