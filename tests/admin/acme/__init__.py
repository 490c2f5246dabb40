"""The tasks of Acme, a shop: what the demo's workers run. Some of them fail, as tasks do."""
