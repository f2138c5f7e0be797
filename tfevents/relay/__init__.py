"""A durable stop on the way of events: what many runners send is kept, and goes on in order."""
