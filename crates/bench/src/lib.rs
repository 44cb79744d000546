//! Workloads, naive peers and latency measurement behind `gridrig bench`.

#![forbid(unsafe_code)]
