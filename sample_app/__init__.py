"""The subject under test: a payments API in good and broken versions, and its manifests."""
