variable "name" {
  description = "Name of the environment's resources: `restomarket-dev` gives the VPC `restomarket-dev`, the tag `restomarket-dev-api`."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", var.name))
    error_message = "Give a name of lower-case letters, digits and `-` between them, at most 40, that begins with a letter."
  }
}

variable "region" {
  description = "Region of the VPC, such as `fra1`. Everything in the VPC has to be in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{3}[0-9]$", var.region))
    error_message = "Give a region's slug of three letters and a digit, such as fra1; `doctl compute region list` shows them."
  }
}

variable "ip_range" {
  description = "Private IPv4 range of the VPC. It cannot be changed later, and may not overlap with another VPC of the account."
  type        = string

  validation {
    condition     = can(cidrhost(var.ip_range, 0)) && can(regex("^(10|192\\.168)\\..*/(1[6-9]|2[0-8])$", var.ip_range))
    error_message = "Give a range within 10.0.0.0/8 or 192.168.0.0/16, from /16 to /28, such as 10.10.0.0/16. Docker uses 172.16.0.0/12 on every host."
  }

  validation {
    condition     = try(cidrhost(var.ip_range, 0) == split("/", var.ip_range)[0], true)
    error_message = "Give the first address of the range: the bits after the prefix have to be 0, as in 10.10.0.0/16."
  }
}

variable "admin_addresses" {
  description = "Addresses or ranges that may reach SSH. None by default: then nobody can, except from inside the VPC."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for it in var.admin_addresses : can(cidrhost(strcontains(it, "/") ? it : strcontains(it, ":") ? "${it}/128" : "${it}/32", 0))])
    error_message = "Give addresses such as 198.51.100.7 or ranges such as 198.51.100.0/28 or 2001:db8::/48."
  }

  validation {
    condition     = alltrue([for it in var.admin_addresses : try(tonumber(split("/", it)[1]) >= (strcontains(it, ":") ? 32 : 16), true)])
    error_message = "SSH is not opened to the world: name your own address or range, /16 or smaller (IPv6: /32 or smaller); `curl -4 https://icanhazip.com` shows your address."
  }
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

variable "load_balancer_ids" {
  description = "Load balancers that may reach 80, 443 and the API port."
  type        = set(string)
  default     = []
}

variable "custom_rules" {
  description = "More that may come in, keyed by a name that never changes. `ports` is one port, a range such as `8000-8010`, or `all`; it is not used for icmp."
  type = map(object({
    protocol  = optional(string, "tcp")
    ports     = optional(string)
    addresses = set(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for it in values(var.custom_rules) : contains(["tcp", "udp", "icmp"], it.protocol)])
    error_message = "Let `protocol` of each custom rule be tcp, udp or icmp."
  }

  validation {
    # From 1 to 65535, and the first not above the last.
    condition = alltrue([
      for it in values(var.custom_rules) : it.protocol == "icmp" || it.ports == "all" || try(
        can(regex("^[0-9]{1,5}(-[0-9]{1,5})?$", it.ports)) && max(split("-", it.ports)...) <= 65535 &&
        tonumber(split("-", it.ports)[0]) == max(1, min(split("-", it.ports)...)), false
      )
    ])
    error_message = "Let `ports` of each custom rule for tcp or udp be a port from 1 to 65535, a range such as 8000-8010, or all."
  }

  validation {
    condition     = alltrue([for it in values(var.custom_rules) : length(it.addresses) > 0 && alltrue([for address in it.addresses : can(cidrhost(strcontains(address, "/") ? address : strcontains(address, ":") ? "${address}/128" : "${address}/32", 0))])])
    error_message = "Give each custom rule at least one address or range, such as 198.51.100.0/28."
  }

  validation {
    condition = alltrue(flatten([
      for it in values(var.custom_rules) : [
        for address in it.addresses : try(tonumber(split("/", address)[1]) >= (strcontains(address, ":") ? 32 : 16), true)
      ]
      if it.protocol == "tcp" && try(tonumber(split("-", replace(it.ports, "all", "1-65535"))[0]) <= 22 && tonumber(reverse(split("-", replace(it.ports, "all", "1-65535")))[0]) >= 22, false)
    ]))
    error_message = "A custom rule with port 22 in it opens SSH to the world: leave 22 out of its ports, or name a range of /16 or smaller (IPv6: /32)."
  }
}
