"""The routes of evidence. Handing in and reading have the same addresses, and so one router."""

from ninja import Router

router = Router()
