"""Minds of participants: forecasts, schedules of what is stored, and the orders they lead to."""
