"""The warm proof: does a pull stay warm, and a build, when a host has been cleaned (P19–P26, H33)?

A tool of its own and no part of the `Engine` interface, on purpose. That interface holds the few calls that Launchplane
may ever make on a host, and a pull or a build is none of them: nothing that is planned, scheduled or served ever pulls.
Somebody who wants proof starts it by hand. It only adds (an image that is pulled, a build) and never removes anything,
so "cold" is claimed only of an image that really was not there.
"""
