"""The contract's other side, to look at: takes events, keeps them, and shows them on a page."""
