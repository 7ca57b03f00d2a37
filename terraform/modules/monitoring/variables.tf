variable "name" {
  description = "Name that alerts begin with."
  type        = string
}

variable "droplet_tag" {
  description = "Droplets with this tag are watched."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9:_-]{1,255}$", var.droplet_tag))
    error_message = "Give a tag of letters, digits, `:`, `_` and `-`."
  }
}

variable "emails" {
  description = "Who gets alerts: addresses that are verified in the DigitalOcean account."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for it in var.emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", it))])
    error_message = "Give e-mail addresses such as ops@example.com; DigitalOcean takes those that are verified in the account."
  }
}

variable "slack_channel" {
  description = "Slack channel that gets alerts, such as `#ops`; needs `slack_webhook_url`."
  type        = string
  default     = null

  validation {
    condition     = var.slack_channel == null || can(regex("^[#@]?[^ #@]+$", var.slack_channel))
    error_message = "Give a channel such as #ops."
  }
}

variable "slack_webhook_url" {
  description = "Incoming webhook of that Slack channel."
  type        = string
  default     = null
  sensitive   = true
}

variable "thresholds" {
  description = "What is too much for 5 minutes: CPU, memory and disk in percent, load as an average of processes."
  type = object({
    cpu    = optional(number, 80)
    memory = optional(number, 85)
    disk   = optional(number, 90)
    load   = optional(number, 3)
  })
  default = {}

  validation {
    condition     = alltrue([for it in [var.thresholds.cpu, var.thresholds.memory, var.thresholds.disk] : it > 0 && it < 100])
    error_message = "Let cpu, memory and disk be more than 0 and less than 100 percent."
  }

  validation {
    condition     = var.thresholds.load > 0
    error_message = "Let load be more than 0."
  }
}
