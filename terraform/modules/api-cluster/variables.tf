variable "name" {
  description = "Name of the cluster: droplet `a` of `restomarket-dev` is `restomarket-dev-a`."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", var.name))
    error_message = "Give a name of lower-case letters, digits and `-` between them, at most 40, that begins with a letter."
  }
}

variable "region" {
  description = "Region of the droplets: that of their VPC."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{3}[0-9]$", var.region))
    error_message = "Give a region's slug of three letters and a digit, such as fra1; `doctl compute region list` shows them."
  }
}

variable "vpc" {
  description = "VPC of the droplets, and its range: who is inside may reach them."
  type = object({
    id       = string
    ip_range = string
  })

  validation {
    condition     = can(cidrhost(var.vpc.ip_range, 0))
    error_message = "Give the VPC's ip_range as a range such as 10.10.0.0/16."
  }
}

variable "droplets" {
  description = "Droplets to run, keyed by a short name that never changes (`a`, `b`, ...). Removing one does not touch the others. `volumes` are mounted at `/mnt/<key>`."
  type = map(object({
    size        = optional(string, "s-1vcpu-1gb")
    backups     = optional(bool, false)
    reserved_ip = optional(bool, false)
    volumes     = optional(map(object({ size_gb = number })), {})
  }))

  validation {
    condition     = length(var.droplets) >= 1 && length(var.droplets) <= 10
    error_message = "Let the cluster have 1 to 10 droplets."
  }

  validation {
    condition     = alltrue([for key in keys(var.droplets) : can(regex("^[a-z][a-z0-9]{0,14}$", key))])
    error_message = "Let each droplet's key be 1 to 15 lower-case letters and digits that begin with a letter, such as a."
  }

  validation {
    condition     = alltrue([for it in values(var.droplets) : can(regex("^[a-z][a-z0-9_]*-[0-9]+(vcpu-.*)?$", it.size))])
    error_message = "Give each droplet a size such as s-2vcpu-4gb; `doctl compute size list` shows them."
  }

  validation {
    condition     = alltrue(flatten([for it in values(var.droplets) : [for key in keys(it.volumes) : can(regex("^[a-z][a-z0-9]{0,14}$", key))]]))
    error_message = "Let each volume's key be 1 to 15 lower-case letters and digits that begin with a letter, such as data."
  }

  validation {
    condition     = alltrue(flatten([for it in values(var.droplets) : [for volume in values(it.volumes) : volume.size_gb >= 1 && volume.size_gb <= 16384 && floor(volume.size_gb) == volume.size_gb]]))
    error_message = "Give each volume a size_gb from 1 to 16384. It can be raised later, not lowered."
  }

  validation {
    condition     = alltrue([for it in values(var.droplets) : length(it.volumes) <= 7])
    error_message = "Give a droplet at most 7 volumes."
  }
}

variable "ssh_key_names" {
  description = "Names of SSH keys in the DigitalOcean account whose owners may log in as `deploy`; `doctl compute ssh-key list` shows them."
  type        = set(string)

  validation {
    condition     = length(var.ssh_key_names) > 0
    error_message = "Name at least one SSH key of the account: nobody could log in to the droplets. `doctl compute ssh-key list` shows them."
  }
}

variable "host_keys" {
  description = "SSH host keys of droplets, by droplet key, so that they are known from birth. Without one a droplet makes its own, and somebody has to compare it on the console."
  type = map(object({
    private = string
    public  = string
  }))
  default   = {}
  sensitive = true
}

variable "image" {
  description = "Image of new droplets: an Ubuntu, or the id of a snapshot of one. Droplets that exist keep theirs."
  type        = string
  default     = "ubuntu-24-04-x64"

  validation {
    condition     = can(regex("^(ubuntu-[0-9]{2}-04-x64|[0-9]+)$", var.image))
    error_message = "Give an Ubuntu LTS such as ubuntu-24-04-x64, or the number of a snapshot of one."
  }
}

variable "tags" {
  description = "Tags of the droplets, such as the `api_tag` of the module `networking`."
  type        = set(string)
  default     = []
}

variable "monitoring" {
  description = "Whether droplets report memory, disk and load, which alerts need."
  type        = bool
  default     = true
}

variable "ipv6" {
  description = "Whether droplets have a public IPv6 address as well."
  type        = bool
  default     = false
}

variable "api_port" {
  description = "Port on which droplets answer requests: `proxy.port` of restoops.yaml."
  type        = number
  default     = 3001

  validation {
    condition     = var.api_port >= 1 && var.api_port <= 65535 && floor(var.api_port) == var.api_port && var.api_port != 22
    error_message = "Give a port from 1 to 65535 that is not SSH's 22."
  }
}

variable "firewall_rules" {
  description = "More that may come in to these droplets only, keyed by a name that never changes. `ports` is one port or a range such as `8000-8010`. UFW on the droplet has to allow it as well: see `extra_user_data`."
  type = map(object({
    protocol  = optional(string, "tcp")
    ports     = string
    addresses = set(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for it in values(var.firewall_rules) : contains(["tcp", "udp"], it.protocol)])
    error_message = "Let `protocol` of each firewall rule be tcp or udp."
  }

  validation {
    # From 1 to 65535, and the first not above the last.
    condition = alltrue([
      for it in values(var.firewall_rules) : try(
        can(regex("^[0-9]{1,5}(-[0-9]{1,5})?$", it.ports)) && max(split("-", it.ports)...) <= 65535 &&
        tonumber(split("-", it.ports)[0]) == max(1, min(split("-", it.ports)...)), false
      )
    ])
    error_message = "Let `ports` of each firewall rule be a port from 1 to 65535 or a range such as 8000-8010."
  }

  validation {
    condition     = alltrue([for it in values(var.firewall_rules) : length(it.addresses) > 0 && alltrue([for address in it.addresses : can(cidrhost(strcontains(address, "/") ? address : strcontains(address, ":") ? "${address}/128" : "${address}/32", 0))])])
    error_message = "Give each firewall rule at least one address or range, such as 198.51.100.0/28."
  }

  validation {
    condition = alltrue(flatten([
      for it in values(var.firewall_rules) : [
        for address in it.addresses : try(tonumber(split("/", address)[1]) >= (strcontains(address, ":") ? 32 : 16), true)
      ]
      if it.protocol == "tcp" && try(tonumber(split("-", it.ports)[0]) <= 22 && tonumber(reverse(split("-", it.ports))[0]) >= 22, false)
    ]))
    error_message = "A firewall rule with port 22 in it opens SSH to the world: leave 22 out of its ports, or name a range of /16 or smaller (IPv6: /32)."
  }
}

variable "extra_user_data" {
  description = "What new droplets should do besides, at the end of their first boot: a shell script, or more cloud-config, whose lists are added to ours."
  type        = string
  default     = ""

  validation {
    condition     = var.extra_user_data == "" || can(regex("^(#!|#cloud-config\n)", var.extra_user_data))
    error_message = "Let extra_user_data begin with #! (a script) or with a line #cloud-config."
  }

  validation {
    condition     = !strcontains(var.extra_user_data, "==restoops==")
    error_message = "Take ==restoops== out of extra_user_data: it separates the parts of the user data."
  }
}
