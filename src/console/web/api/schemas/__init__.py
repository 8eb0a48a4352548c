"""The schemas of the OpenAPI document: of what is sent, and of what is answered."""
