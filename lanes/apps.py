"""Lanes: which runners are wanted, where they may be, and whether they are there."""

from django.apps import AppConfig


class LanesConfig(AppConfig):
    name = "lanes"
