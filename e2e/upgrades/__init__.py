"""Components of the cluster are upgraded and rolled back while a fleet of Rollouts is under traffic."""
