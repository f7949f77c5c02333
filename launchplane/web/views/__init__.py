"""The pages. Each view checks who asks, asks the domain, and hands plain values to a template."""
