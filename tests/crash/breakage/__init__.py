"""What the crash tests share: stories, a gateway that outlives the engine, a judge."""
