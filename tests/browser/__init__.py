"""What people see: a real Chromium plays visitors, agents and a supervisor on a hub that runs in the test's loop."""
