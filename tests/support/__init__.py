"""What the tests run against: real servers, terminals and engines."""
