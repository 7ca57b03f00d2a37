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
  description = "Major version of PostgreSQL. A higher one upgrades in place, a lower one is refused by DigitalOcean."
  type        = string
  default     = "17"

  validation {
    condition     = contains(["15", "16", "17", "18"], var.engine_version)
    error_message = "Give a version of PostgreSQL that is in support: 15, 16, 17 or 18."
  }
}

variable "size" {
  description = "Size of each node; `doctl databases options slugs --engine pg` lists them."
  type        = string
  default     = "db-s-1vcpu-1gb"

  validation {
    condition     = can(regex("^(db|gd|gd2|m|m3|so1_5|db-intel|db-amd)-.*[0-9]+gb$", var.size))
    error_message = "Give a size of a database node, such as db-s-2vcpu-4gb; `doctl databases options slugs --engine pg` lists them."
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

variable "database_name" {
  description = "Database that is made for the application."
  type        = string
  default     = "app"

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]{0,62}$", var.database_name))
    error_message = "Give a database name of lower-case letters, digits and `_`, at most 63, that does not begin with a digit."
  }
}

variable "user_name" {
  description = "User that is made for the application."
  type        = string
  default     = "app"

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]{0,62}$", var.user_name))
    error_message = "Give a user name of lower-case letters, digits and `_`, at most 63, that does not begin with a digit."
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
    error_message = "The database is not opened to the world: name your own address or range, /16 or smaller."
  }
}

variable "pool" {
  description = "Connection pool (PgBouncer) before the database. Its connections come out of the cluster's: 25 for each GB of memory, less 3."
  type = object({
    name = optional(string, "app")
    mode = optional(string, "transaction")
    size = number
  })
  default = null

  validation {
    condition     = var.pool == null || try(contains(["transaction", "session", "statement"], var.pool.mode), false)
    error_message = "Let the pool's mode be transaction, session or statement."
  }

  validation {
    condition     = var.pool == null || try(var.pool.size >= 1 && var.pool.size <= 100 && floor(var.pool.size) == var.pool.size, false)
    error_message = "Let the pool have 1 to 100 connections."
  }

  validation {
    condition     = var.pool == null || can(regex("^[A-Za-z0-9_-]{3,63}$", var.pool.name))
    error_message = "Give the pool a name of 3 to 63 letters, digits, `_` and `-`."
  }
}

variable "replica" {
  description = "Read replica in another region. It is asynchronous: it may lag behind."
  type = object({
    region = string
    size   = optional(string)
    vpc_id = optional(string)
  })
  default = null
}

variable "maintenance_window" {
  description = "When DigitalOcean may update the cluster: a day and an hour in UTC."
  type = object({
    day  = optional(string, "sunday")
    hour = optional(string, "03:00:00")
  })
  default = {}

  validation {
    condition     = contains(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], var.maintenance_window.day)
    error_message = "Let the maintenance window's day be a lower-case English weekday, such as sunday."
  }

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]:00$", var.maintenance_window.hour))
    error_message = "Give the maintenance window's hour as HH:MM:00 in UTC, such as 03:00:00."
  }
}

variable "tags" {
  description = "Tags of the cluster."
  type        = set(string)
  default     = []
}
