"""Hosts: the machines, and how to reach them."""

from django.apps import AppConfig


class HostsConfig(AppConfig):
    name = "launchplane.hosts"
    label = "hosts"
