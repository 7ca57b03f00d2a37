variable "name" {
  description = "Name of the cluster. A change makes a new, empty one."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{1,61}[a-z0-9])$", var.name))
    error_message = "Give a name of 3 to 63 lower-case letters, digits and `-` between them, that begins with a letter."
  }
}

variable "region" {
  description = "Region of the cluster: that of its VPC."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{3}[0-9]$", var.region))
    error_message = "Give a region's slug of three letters and a digit, such as fra1; `doctl compute region list` shows them."
  }
}

variable "vpc_id" {
  description = "VPC in which the cluster has its private address. A change makes a new, empty cluster."
  type        = string
}

variable "engine_version" {
  description = "Major version of Valkey."
  type        = string
  default     = "8"

  validation {
    condition     = contains(["8"], var.engine_version)
    error_message = "Give the version of Valkey that DigitalOcean offers: 8. Redis itself is no longer to be had there."
  }
}

variable "size" {
  description = "Size of each node; `doctl databases options slugs --engine valkey` lists them."
  type        = string
  default     = "db-s-1vcpu-1gb"

  validation {
    condition     = can(regex("^(db|gd|m|db-intel|db-amd)-.*[0-9]+gb$", var.size))
    error_message = "Give a size of a database node, such as db-s-1vcpu-2gb; `doctl databases options slugs --engine valkey` lists them."
  }
}

variable "node_count" {
  description = "1 node, or 2 or 3: one of them answers, the others take over when it fails."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2, 3], var.node_count)
    error_message = "Let the cluster have 1, 2 or 3 nodes."
  }
}

variable "eviction_policy" {
  description = "What goes when the memory is full, as Valkey names it. DigitalOcean's reference lists all but the two `lfu`."
  type        = string
  default     = "allkeys-lru"

  validation {
    condition = contains([
      "noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random",
      "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
    ], var.eviction_policy)
    error_message = "Let eviction_policy be noeviction, allkeys-lru, allkeys-lfu, allkeys-random, volatile-lru, volatile-lfu, volatile-random or volatile-ttl."
  }
}

variable "trusted_tags" {
  description = "Droplets with one of these tags may connect."
  type        = set(string)
  default     = []
}

variable "trusted_addresses" {
  description = "Addresses or ranges that may connect."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for it in var.trusted_addresses : can(cidrhost(strcontains(it, "/") ? it : "${it}/32", 0)) && !strcontains(it, ":")])
    error_message = "Give IPv4 addresses such as 198.51.100.7 or ranges such as 198.51.100.0/28."
  }

  validation {
    condition     = alltrue([for it in var.trusted_addresses : try(tonumber(split("/", it)[1]) >= 16, true)])
    error_message = "The cache is not opened to the world: name your own address or range, /16 or smaller."
  }
}

variable "maintenance_window" {
  description = "When DigitalOcean may update the cluster: a day and an hour in UTC."
  type = object({
    day  = optional(string, "sunday")
    hour = optional(string, "04:00:00")
  })
  default = {}

  validation {
    condition     = contains(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], var.maintenance_window.day)
    error_message = "Let the maintenance window's day be a lower-case English weekday, such as sunday."
  }

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]:00$", var.maintenance_window.hour))
    error_message = "Give the maintenance window's hour as HH:MM:00 in UTC, such as 04:00:00."
  }
}

variable "tags" {
  description = "Tags of the cluster."
  type        = set(string)
  default     = []
}
