"""The container of a pipeline stage: PLUGIN_* settings in, outputs out."""
