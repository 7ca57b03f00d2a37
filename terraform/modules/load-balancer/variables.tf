variable "name" {
  description = "Name of the load balancer."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9.-]{0,253}$", var.name))
    error_message = "Give a name of letters, digits, `.` and `-` that begins with a letter or digit."
  }
}

variable "region" {
  description = "Region of the load balancer: that of its VPC."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{3}[0-9]$", var.region))
    error_message = "Give a region's slug of three letters and a digit, such as fra1; `doctl compute region list` shows them."
  }
}

variable "vpc_id" {
  description = "VPC of the load balancer and its droplets. A change makes a new one, with a new address."
  type        = string
}

variable "droplet_tag" {
  description = "Droplets with this tag get requests: the `api_tag` of the module `networking`."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9:_-]{1,255}$", var.droplet_tag))
    error_message = "Give a tag of letters, digits, `:`, `_` and `-`."
  }
}

variable "api_port" {
  description = "Port on which droplets answer requests: `proxy.port` of restoops.yaml."
  type        = number
  default     = 3001

  validation {
    condition     = var.api_port >= 1 && var.api_port <= 65535 && floor(var.api_port) == var.api_port
    error_message = "Give a port from 1 to 65535."
  }
}

variable "certificate_name" {
  description = "Name of a certificate in the account, for HTTPS; `doctl compute certificate list` shows them. Null: HTTP only."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_name == null || try(length(var.certificate_name) > 0, false)
    error_message = "Give the certificate's name, or null for HTTP only; `doctl compute certificate list` shows them."
  }
}

variable "redirect_http_to_https" {
  description = "Whether HTTP requests are sent to HTTPS. Null: where there is a certificate."
  type        = bool
  default     = null
}

variable "health_check_path" {
  description = "Path that a healthy droplet answers with 2xx."
  type        = string
  default     = "/health"

  validation {
    condition     = can(regex("^/[^ ]*$", var.health_check_path))
    error_message = "Give a path that begins with /, such as /health."
  }
}

variable "enable_proxy_protocol" {
  description = "Whether droplets get the PROXY protocol. Only where what listens on the API port expects it; the proxy of restoops does not."
  type        = bool
  default     = false
}

variable "size_unit" {
  description = "Nodes of the load balancer; each takes 10,000 requests a second and costs the same."
  type        = number
  default     = 1

  validation {
    condition     = var.size_unit >= 1 && var.size_unit <= 100 && floor(var.size_unit) == var.size_unit
    error_message = "Let the load balancer have 1 to 100 nodes."
  }
}
