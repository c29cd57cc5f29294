"""The console: shows the truth to agents and supervisors and turns their clicks into service calls."""
