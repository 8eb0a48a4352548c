"""What a process tells about itself: metrics for Prometheus, and whether it lives and is ready."""
