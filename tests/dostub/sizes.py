"""Droplet sizes that the account knows all about; others get the last one's figures."""

from typing import NamedTuple


class Size(NamedTuple):
    """What a droplet of this size has, and its price in USD a month."""

    vcpus: int
    memory_mb: int
    disk_gb: int
    price: int


DROPLET_SIZES = {
    "s-1vcpu-512mb-10gb": Size(1, 512, 10, 4),
    "s-1vcpu-1gb": Size(1, 1024, 25, 6),
    "s-1vcpu-2gb": Size(1, 2048, 50, 12),
    "s-2vcpu-2gb": Size(2, 2048, 60, 18),
    "s-2vcpu-4gb": Size(2, 4096, 80, 24),
    "s-4vcpu-8gb": Size(4, 8192, 160, 48),
}
OTHER = DROPLET_SIZES["s-4vcpu-8gb"]
