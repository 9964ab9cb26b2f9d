"""The weather domain: what the airports' stations measured."""
