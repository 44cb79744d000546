"""The ten campaigns, a file each."""

from gridrig.promises.campaigns import (
    bad_network,
    certificate_year,
    evening_peak,
    liars,
    night_compute,
    power_plant,
    storm,
    stressed_feeder,
    sunny_afternoon,
    two_regions,
)

CAMPAIGNS = (
    sunny_afternoon.CAMPAIGN,
    storm.CAMPAIGN,
    evening_peak.CAMPAIGN,
    power_plant.CAMPAIGN,
    certificate_year.CAMPAIGN,
    liars.CAMPAIGN,
    bad_network.CAMPAIGN,
    stressed_feeder.CAMPAIGN,
    night_compute.CAMPAIGN,
    two_regions.CAMPAIGN,
)
"""In the order of their numbers, 1 to 10."""
