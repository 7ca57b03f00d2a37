terraform {
  # What is missing here, bucket and endpoint, is in backend.hcl: `restoops infra backend dev` makes
  # the bucket and writes it. The keys to it are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
  backend "s3" {
    key    = "dev/terraform.tfstate"
    region = "us-east-1" # Spaces has its regions in the endpoint, but the client wants one here

    # Spaces speaks S3's protocol, and has none of AWS around it.
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_s3_checksum            = true
  }
}
