"""Stand-ins for hosts: SSH servers in one process that answer as hosts would, from memory.

For fleets that would compete for the two processors of the lab as droplets. What a stand-in is
asked takes about as long as on a droplet (`machine.Timing`), but nothing is run there.
"""
