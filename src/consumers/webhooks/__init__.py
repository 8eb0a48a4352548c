"""Webhooks: tells programs elsewhere of events, by signed HTTP requests, in order by account."""
