//! People, looked up by id across services: the gRPC contract between auth and who asks it.
