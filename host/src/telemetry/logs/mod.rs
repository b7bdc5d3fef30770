//! Logs: what the program and its guests say, with the trace and span that they say it in.
