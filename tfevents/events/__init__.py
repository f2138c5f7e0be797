"""The events of the contract: their types, their bodies, their JSON Schema."""
