"""What routers cannot do, and how soon weights apply on each."""
