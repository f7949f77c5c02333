"""The pages: what a person sees and decides."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "launchplane.web"
    label = "web"
