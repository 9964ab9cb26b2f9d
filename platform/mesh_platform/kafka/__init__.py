"""Real Apache Kafka on this machine: jars by Maven, nodes (KRaft, combined mode) as child processes."""
