"""What Kith does, put together: the parts (app), the pipeline (stages), the answers (commands)."""
