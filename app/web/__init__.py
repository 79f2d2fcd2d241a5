"""What every router shares: problems, sign-in, parameters, paging, limits, the OpenAPI document."""
