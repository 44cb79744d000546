"""What an intentional island is held to, each figure with where it comes from.

The standards themselves were not read; frequencies are those of 60 Hz, scaled by ratio to the
bench's nominal.
"""

SERVED_MIN_S = 900.0
SERVED_SOURCE = "the microgrid's promise: critical load for 15 min"
FORMED_MAX_S = 0.160
FORMED_SOURCE = "a utility's microgrid test plan: stable within 0.160 s (IEEE P&E Magazine, 2017)"
ITIC_SOURCE = "ITI (CBEMA) curve, 2000"

# Continuous operation, IEEE 1547-2018 6.4.2 and 6.5.2, as OpenDER restates them.
V_BAND_PU = (0.88, 1.10)
F_BAND_60_HZ = (58.8, 61.2)
# Trips that must not be met: UF2 and OF2 of IEEE 1547-2018 table 18.
F_LOWEST_60_HZ, F_HIGHEST_60_HZ = 56.5, 62.0
TRIP_SOURCE = "IEEE 1547-2018 table 18, UF2 and OF2: 56.5 Hz and 62.0 Hz at 60 Hz"

# Table 5 of IEEE 1547-2018 up to 500 kVA: second-hand, from one public note that quotes it.
SYNC_DF_60_HZ, SYNC_DV_PU, SYNC_DTHETA_DEG = 0.3, 0.10, 20.0
SYNC_SOURCE = "IEEE 1547-2018 4.10.4, table 5, up to 500 kVA"
OWN_RULE = "a rule of our own"
