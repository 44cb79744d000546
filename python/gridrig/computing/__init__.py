"""Computing as a load that is paid for: work, admission by a battery's reserve, escrow."""
