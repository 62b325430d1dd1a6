"""Traffic by Locust in a subprocess on an open-loop schedule, its records, and the statistics on them."""
