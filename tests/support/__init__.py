"""The rig: real servers, terminals and engines that the tests run against."""
