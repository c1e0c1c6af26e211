/* Where a job publishes: what its commands and actions put into registries, releases and clouds. */
#pragma once

#include "facts/supply.h"
#include "rules/outline.h"

/** Does a step publish or deploy, as far as the tables of commands and actions tell? */
bool wpa_publish_in_job(const wpa_outline_job *job);
