"""Where and how events are sent: variables, settings files, precedence."""
