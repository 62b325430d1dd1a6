"""The sample app: a payments API in good and broken versions, and its manifests."""
