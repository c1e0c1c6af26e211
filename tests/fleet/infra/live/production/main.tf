terraform {
  required_version = ">= 1.8"
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

module "ledger" {
  source = "../../modules/ledger"
  region = var.region
  stage  = "production"
}
